import { expect, test } from 'vitest';
import { statistics } from './statistics';

const sample = (latencyMs: number | null, status: 'HEALTHY' | 'UNHEALTHY' = 'HEALTHY') => ({
  cursor: '1',
  at: '2026-01-01T00:00:00Z',
  latencyMs,
  status,
  error: null,
});

test('failures reduce the uptime and are not part of the latency', () => {
  const samples = [3, 1, 2, 4].map((latency) => sample(latency));
  expect(statistics([...samples, sample(900, 'UNHEALTHY')])).toEqual({ checks: 5, failures: 1, uptime: 80, p50: 2, p99: 4 });
});

test('without checks there are no figures', () => {
  expect(statistics([])).toEqual({ checks: 0, failures: 0, uptime: undefined, p50: undefined, p99: undefined });
});
