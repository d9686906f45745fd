import { expect, test } from 'vitest';
import { age, clock, duration } from './format';

const now = Date.parse('2026-01-10T12:00:00Z');

test.each([
  ['2026-01-10T12:00:05Z', '0s'],
  ['2026-01-10T11:59:01Z', '59s'],
  ['2026-01-10T11:59:00Z', '1m'],
  ['2026-01-10T00:00:00Z', '12h'],
  ['2026-01-08T12:00:00Z', '2d'],
])('the age of %s is %s', (at, shown) => {
  expect(age(at, now)).toBe(shown);
});

test.each([
  [34.4, '34ms'],
  [1234, '1.2s'],
  [9_960, '10s'],
  [59_700, '1m'],
  [125_000, '2m 5s'],
])('%s ms are %s', (ms, shown) => {
  expect(duration(ms)).toBe(shown);
});

test('a time of another day includes the date', () => {
  expect(clock('2026-01-10T12:00:05', now)).toMatch(/^12:00:05$/);
  expect(clock('2026-01-08T12:00:05', now)).toMatch(/8.*12:00:05$/);
});
