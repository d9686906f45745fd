import { expect, test } from 'vitest';
import { initialValue, inRange } from './range';

const range = { min: 1, max: 600, default: 60 };

test('both ends of a range belong to it', () => {
  const check = inRange(range, 'seconds');
  for (const good of [1, 60, 600]) expect(check(good), String(good)).toBeNull();
  for (const bad of [0, 601, 1.5, '', '60']) expect(check(bad), String(bad)).toBe('Must be 1 to 600 seconds');
});

test('the message is in the unit of the field', () => {
  const check = inRange({ min: 100, max: 64_000, default: 500 }, 'vCPU', 1000);
  expect(check(250)).toBeNull();
  expect(check(50)).toBe('Must be 0.1 to 64 vCPU');
});

test('a field starts with the default, or empty without one', () => {
  expect(initialValue(range)).toBe(60);
  expect(initialValue({ ...range, default: null })).toBe('');
});
