import type { SampleFragment } from '../gql/graphql';

export interface Statistics {
  checks: number;
  failures: number;
  /** The share of successful checks in percent; undefined without checks. */
  uptime?: number;
  p50?: number;
  p99?: number;
}

/** Figures over the samples that are shown. */
export function statistics(samples: readonly SampleFragment[]): Statistics {
  const latencies = samples.flatMap(({ latencyMs, status }) => (status === 'HEALTHY' && latencyMs != null ? [latencyMs] : [])).sort((a, b) => a - b);
  const failures = samples.filter(({ status }) => status === 'UNHEALTHY').length;
  return {
    checks: samples.length,
    failures,
    uptime: samples.length ? (100 * (samples.length - failures)) / samples.length : undefined,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
}

/** The smallest value that at least the share `q` of the values does not exceed. */
function quantile(sorted: readonly number[], q: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
}
