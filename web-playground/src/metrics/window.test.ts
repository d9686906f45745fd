import { expect, test } from 'vitest';
import { grid } from './window';

const point = (second: number, value: number) => ({ at: new Date(second * 1000).toISOString(), value, maximum: value });

test('a time without a value interrupts the line', () => {
  const now = 7_205_000;
  const { times, values } = grid(1, now, [[point(3600, 1), point(3660, 2), point(7200, 3)], []]);
  expect([times[0], times.at(-1), times.length]).toEqual([3600, 7200, 61]);
  expect(values[0]?.slice(0, 3)).toEqual([1, 2, null]);
  expect(values[0]?.at(-1)).toBe(3);
  expect(values[1]?.every((value) => value === null)).toBe(true);
});

test('points outside of the window are left out', () => {
  const { values } = grid(24, 90_000_000, [[point(0, 1), point(90_000, 2)]]);
  expect(values[0]?.filter((value) => value !== null)).toEqual([2]);
});
