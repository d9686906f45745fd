import { expect, test } from 'vitest';
import { initialValue, inRange } from './range';

const range = { min: 1, max: 600, default: 60 };

test('both ends of a range belong to it', () => {
  const check = inRange(range, 'seconds');
  for (const good of [1, 60, 600]) expect(check(good), String(good)).toBeNull();
  for (const bad of [0, 601, 1.5, '', '60']) expect(check(bad), String(bad)).toBe('must be 1 to 600 seconds');
});

test('a field starts with the default, or empty without one', () => {
  expect(initialValue(range)).toBe(60);
  expect(initialValue({ ...range, default: null })).toBe('');
});
