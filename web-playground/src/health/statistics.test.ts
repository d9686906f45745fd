import { expect, test } from 'vitest';
import { percent, statistics } from './statistics';

const now = Date.parse('2026-01-01T12:00:00Z');
const HOLD = 60_000;

/** A check that was made so many seconds ago. */
const sample = (secondsAgo: number, status: 'HEALTHY' | 'UNHEALTHY' = 'HEALTHY', latencyMs: number | null = 1) => ({
  cursor: '1',
  at: new Date(now - secondsAgo * 1000).toISOString(),
  latencyMs,
  status,
  error: null,
});

test('failures are not part of the latency', () => {
  const samples = [3, 1, 2, 4].map((latency, index) => sample(index * 30, 'HEALTHY', latency));
  expect(statistics([...samples, sample(120, 'UNHEALTHY', 900)], now, HOLD)).toMatchObject({ checks: 5, failures: 1, p50: 2, p99: 4 });
});

test('availability is weighted by time, not by the number of checks', () => {
  // Checked every 30 s; a failure is confirmed by three more checks within two seconds, then the instance is back.
  const samples = [sample(0), sample(30), ...[58.5, 59, 59.5, 60].map((ago) => sample(ago, 'UNHEALTHY')), sample(90)];
  const { availability } = statistics(samples, now, HOLD);
  // 30 s of 90 s: the last of the failures holds until the next check.
  expect(availability).toBeCloseTo((100 * 60) / 90, 1);
  const quick = [sample(0), sample(57.5), ...[58, 58.5, 59].map((ago) => sample(ago, 'UNHEALTHY')), sample(89)];
  expect(statistics(quick, now, HOLD).availability, 'an outage of 1.5 s in 89 s').toBeCloseTo((100 * 87.5) / 89, 1);
});

test('a time without checks counts neither way', () => {
  const samples = [sample(0), sample(30), sample(7200, 'UNHEALTHY'), sample(7230)];
  // The failure holds for a minute, not for two hours: 60 of 120 s.
  expect(statistics(samples, now, HOLD).availability).toBeCloseTo(50, 1);
});

test('one check is enough, and without checks there are no figures', () => {
  expect(statistics([sample(0)], now, HOLD).availability).toBe(100);
  expect(statistics([sample(0, 'UNHEALTHY')], now, HOLD).availability).toBe(0);
  expect(statistics([], now, HOLD)).toEqual({ checks: 0, failures: 0, availability: undefined, p50: undefined, p99: undefined });
});

test('less than 100 percent is never shown as 100', () => {
  expect([100, 99.9999, 99.5, 0].map(percent)).toEqual(['100%', '99.99%', '99.50%', '0.00%']);
});
