import type { SampleFragment } from '../gql/graphql';

export interface Statistics {
  checks: number;
  failures: number;
  /** The share of the time that was checked in which the instance was available, in percent; undefined without checks. */
  availability?: number;
  p50?: number;
  p99?: number;
}

/** Figures over samples, which are ordered from the newest to the oldest. `holdMs` is how long the result of a check counts at most. */
export function statistics(samples: readonly SampleFragment[], now: number, holdMs: number): Statistics {
  const latencies = samples.flatMap(({ latencyMs, status }) => (status === 'HEALTHY' && latencyMs != null ? [latencyMs] : [])).sort((a, b) => a - b);
  return {
    checks: samples.length,
    failures: samples.filter(({ status }) => status === 'UNHEALTHY').length,
    availability: availability(samples, now, holdMs),
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
}

/**
 * Each check counts for the time until the next one, so that the quick repetitions after a failure weigh no more than their time. A
 * time without checks (a suspended instance, planned maintenance, a control plane that is away) counts neither way.
 */
function availability(samples: readonly SampleFragment[], now: number, holdMs: number): number | undefined {
  let until = now;
  let checked = 0;
  let available = 0;
  for (const { at, status } of samples) {
    const from = Date.parse(at);
    // At least a millisecond, so that a single check that was just made counts.
    const time = Math.min(Math.max(until - from, 1), holdMs);
    checked += time;
    if (status === 'HEALTHY') available += time;
    until = from;
  }
  return checked ? (100 * available) / checked : undefined;
}

/** The smallest value that at least the share `q` of the values does not exceed. */
function quantile(sorted: readonly number[], q: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
}

/** `100%`, `99.98%`. Rounded down: anything less than 100 is not shown as 100. */
export function percent(value: number): string {
  return `${value === 100 ? 100 : (Math.floor(value * 100) / 100).toFixed(2)}%`;
}
