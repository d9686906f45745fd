import { expect, test } from 'vitest';
import { age, clock, duration } from './format';

const now = Date.parse('2026-01-10T12:00:00Z');

test.each([
  ['2026-01-10T12:00:05Z', '0 s'],
  ['2026-01-10T11:59:01Z', '59 s'],
  ['2026-01-10T11:59:00Z', '1 min'],
  ['2026-01-10T00:00:00Z', '12 h'],
  ['2026-01-08T12:00:00Z', '2 d'],
])('the age of %s is %s', (at, shown) => {
  expect(age(at, now)).toBe(shown);
});

test.each([
  [34.4, '34 ms'],
  [1234, '1.2 s'],
  [9_960, '10 s'],
  [59_700, '1 min'],
  [125_000, '2 min 5 s'],
])('%s ms are %s', (ms, shown) => {
  expect(duration(ms)).toBe(shown);
});

test('a time of another day includes the date', () => {
  expect(clock('2026-01-10T12:00:05', now)).toMatch(/^12:00:05$/);
  expect(clock('2026-01-08T12:00:05', now)).toMatch(/8.*12:00:05$/);
});
