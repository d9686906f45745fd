import type { SampleFragment } from '../gql/graphql';

/** The times that the chart can show, in hours. Samples are kept for 48 hours by default. */
export const WINDOWS = [1, 24, 48] as const;
export type WindowHours = (typeof WINDOWS)[number];

const HOUR_MS = 3_600_000;

/** The samples within the window, which are ordered from the newest to the oldest. */
export function within(samples: readonly SampleFragment[], hours: WindowHours, now: number): readonly SampleFragment[] {
  const oldest = now - hours * HOUR_MS;
  const end = samples.findIndex(({ at }) => Date.parse(at) < oldest);
  return end < 0 ? samples : samples.slice(0, end);
}

/** Whether a page of samples, ordered from the newest to the oldest, reaches beyond the window. */
export function reaches(page: readonly SampleFragment[], hours: WindowHours, now: number): boolean {
  const oldest = page.at(-1);
  return oldest !== undefined && Date.parse(oldest.at) < now - hours * HOUR_MS;
}

export interface Series {
  /** In seconds, from the beginning to the end of the window. */
  times: number[];
  latencies: (number | null)[];
  /** Zero where a check failed. */
  failures: (number | null)[];
  /** The latency of a check that logged in. */
  logins: (number | null)[];
  /** The sample at each time; none at the ends of the window and where the line is interrupted. */
  samples: (SampleFragment | undefined)[];
}

/** The series of the chart. They begin and end with the window, so that its axis is the same without samples. */
export function series(samples: readonly SampleFragment[], hours: WindowHours, now: number, holdMs: number): Series {
  const all: Series = { times: [], latencies: [], failures: [], logins: [], samples: [] };
  const push = (time: number, sample?: SampleFragment) => {
    all.times.push(time / 1000);
    const latency = sample?.status === 'HEALTHY' ? (sample.latencyMs ?? null) : null;
    all.latencies.push(latency);
    all.logins.push(sample?.loggedIn ? latency : null);
    all.failures.push(sample?.status === 'UNHEALTHY' ? 0 : null);
    all.samples.push(sample);
  };
  let last = now - hours * HOUR_MS;
  push(last);
  for (const sample of samples.toReversed()) {
    const at = Date.parse(sample.at);
    // No line across a time without checks.
    if (at - last > holdMs) push(last + holdMs / 2);
    push(at, sample);
    last = at;
  }
  push(Math.max(now, last));
  return all;
}

/** The index of the sample that is nearest to a time in seconds. */
export function nearest({ times, samples }: Series, time: number): number | undefined {
  let best: number | undefined;
  for (const [index, at] of times.entries()) {
    if (!samples[index]) continue;
    if (best === undefined || Math.abs(at - time) < Math.abs((times[best] ?? 0) - time)) best = index;
    else if (at > time) break;
  }
  return best;
}
