import { expect, test } from 'vitest';
import { nearest, reaches, series, within } from './window';

const now = Date.parse('2026-01-01T12:00:00Z');
const sample = (minutesAgo: number, status: 'HEALTHY' | 'UNHEALTHY' = 'HEALTHY') => ({
  cursor: '1',
  at: new Date(now - minutesAgo * 60_000).toISOString(),
  latencyMs: minutesAgo,
  loggedIn: status === 'HEALTHY' ? minutesAgo === 0 : null,
  status,
  error: null,
});
const HOLD = 120_000;

test('the axis is the window, with one sample and without any', () => {
  for (const samples of [[], [sample(5)]]) {
    const { times } = series(samples, 24, now, HOLD);
    expect([times[0], times.at(-1)]).toEqual([now / 1000 - 86_400, now / 1000]);
  }
});

test('only samples in the window are shown, and pages are loaded until it is full', () => {
  const samples = [sample(0), sample(59), sample(61)];
  expect(within(samples, 1, now)).toHaveLength(2);
  expect(within(samples, 24, now)).toHaveLength(3);
  expect([reaches(samples, 1, now), reaches(samples, 24, now), reaches([], 1, now)]).toEqual([true, false, false]);
});

test('the line is interrupted by failures and by times without checks', () => {
  const { latencies, failures, logins } = series([sample(0), sample(1), sample(30), sample(31, 'UNHEALTHY')], 1, now, HOLD);
  expect(latencies).toEqual([null, null, null, 30, null, 1, 0, null]);
  expect(failures).toEqual([null, null, 0, null, null, null, null, null]);
  expect(logins).toEqual([null, null, null, null, null, null, 0, null]);
});

test('the nearest sample is that of the tooltip', () => {
  const all = series([sample(10), sample(20)], 1, now, HOLD);
  const at = (minutesAgo: number) => all.samples[nearest(all, now / 1000 - minutesAgo * 60) ?? -1]?.latencyMs;
  expect([at(60), at(19), at(14), at(0)]).toEqual([20, 20, 10, 10]);
  expect(nearest(series([], 1, now, HOLD), now / 1000)).toBeUndefined();
});
