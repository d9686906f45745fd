import { expect, test } from 'vitest';
import { statusOf } from './status';

test('one word says what an instance is', () => {
  expect(statusOf({ state: 'RUNNING', health: 'HEALTHY' })).toBe('HEALTHY');
  expect(statusOf({ state: 'RUNNING', health: 'UNHEALTHY' })).toBe('UNHEALTHY');
  expect(statusOf({ state: 'RUNNING', health: 'UNKNOWN' })).toBe('RUNNING');
  // Health is that of the last check, before the operation began.
  expect(statusOf({ state: 'UPDATING', health: 'UNHEALTHY' })).toBe('UPDATING');
  expect(statusOf({ state: 'FAILED', health: 'UNKNOWN' })).toBe('FAILED');
});
