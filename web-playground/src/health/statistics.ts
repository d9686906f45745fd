import type { SampleFragment } from '../gql/graphql';

export interface Statistics {
  checks: number;
  failures: number;
  p50?: number;
  p99?: number;
  /** How many succeeded with a login. */
  logins: number;
  loginP50?: number;
}

/** Figures over samples. */
export function statistics(samples: readonly SampleFragment[]): Statistics {
  const latencies = latenciesOf(samples);
  const logins = latenciesOf(samples.filter(({ loggedIn }) => loggedIn));
  return {
    checks: samples.length,
    failures: samples.filter(({ status }) => status === 'UNHEALTHY').length,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    logins: logins.length,
    loginP50: quantile(logins, 0.5),
  };
}

/** The latencies of those that succeeded, in order. */
function latenciesOf(samples: readonly SampleFragment[]): number[] {
  return samples.flatMap(({ latencyMs, status }) => (status === 'HEALTHY' && latencyMs != null ? [latencyMs] : [])).sort((a, b) => a - b);
}

/** The smallest value that at least the share `q` of the values does not exceed. */
function quantile(sorted: readonly number[], q: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
}

/** A share from 0 to 1 as `100%` or `99.98%`. Rounded down: anything less than 1 is not shown as 100. */
export function percent(share: number): string {
  // The small addition is for shares such as 0.9998, which are a little less than that in binary.
  return `${share === 1 ? 100 : (Math.floor(share * 10_000 + 1e-6) / 100).toFixed(2)}%`;
}
