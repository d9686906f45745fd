import { describe, expect, test } from 'vitest';
import { localTime, pointOf, refusal } from './point';

const at = (minute: number) => new Date(Date.UTC(2026, 10, 29, 10, minute)).toISOString();
const INTERVALS = [
  { from: at(0), to: at(20) },
  { from: at(30), to: at(40) },
];

describe('a point to restore', () => {
  test('is read as it is shown', () => {
    expect(pointOf(localTime(at(5)))).toBe(at(5));
    expect(pointOf('')).toBeUndefined();
  });

  test('lies in what can be restored', () => {
    expect(refusal(localTime(at(5)), INTERVALS)).toBeNull();
    expect(refusal(localTime(at(40)), INTERVALS)).toBeNull();
    expect(refusal(localTime(at(25)), INTERVALS)).toContain('gap');
    expect(refusal(localTime(at(41)), INTERVALS)).toContain('later');
    expect(refusal('2020-01-01T00:00:00', INTERVALS)).toContain('earlier');
    expect(refusal('', INTERVALS)).toContain('Choose');
  });
});
