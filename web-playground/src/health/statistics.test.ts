import { expect, test } from 'vitest';
import { percent, statistics } from './statistics';

/** A check that was made so many seconds ago. */
const sample = (secondsAgo: number, status: 'HEALTHY' | 'UNHEALTHY' = 'HEALTHY', latencyMs: number | null = 1) => ({
  cursor: '1',
  at: new Date(Date.parse('2026-01-01T12:00:00Z') - secondsAgo * 1000).toISOString(),
  latencyMs,
  loggedIn: latencyMs === 4,
  status,
  error: null,
});

test('failures are not part of the latency', () => {
  const samples = [3, 1, 2, 4].map((latency, index) => sample(index * 30, 'HEALTHY', latency));
  expect(statistics([...samples, sample(120, 'UNHEALTHY', 900)])).toEqual({ checks: 5, failures: 1, p50: 2, p99: 4, logins: 1, loginP50: 4 });
});

test('without checks there are no figures', () => {
  expect(statistics([])).toEqual({ checks: 0, failures: 0, p50: undefined, p99: undefined, logins: 0, loginP50: undefined });
});

test('less than 100 percent is never shown as 100', () => {
  expect([1, 0.999_999, 0.9998, 0.995, 0].map(percent)).toEqual(['100%', '99.99%', '99.98%', '99.50%', '0.00%']);
});
