import { expect, test } from 'vitest';
import { CUSTOM, presetOf, presets } from './presets';

const range = (min: number, max: number) => ({ min, max, default: null });

test('the presets are those that the server accepts', () => {
  const all = presets({ cpuMillis: range(100, 128_000), memoryMb: range(128, 1_048_576) });
  expect(all.map(({ name }) => name)).toEqual(['Small', 'Medium', 'Large']);
  expect(presets({ cpuMillis: range(100, 2000), memoryMb: range(1024, 4096) }).map(({ name }) => name)).toEqual(['Medium']);
});

test('a size that is no preset is custom, as is an empty field', () => {
  const all = presets({ cpuMillis: range(1, 9999), memoryMb: range(1, 9999) });
  expect(presetOf(all, { cpuMillis: 1000, memoryMb: 2048 })).toBe('Medium');
  expect(presetOf(all, { cpuMillis: 1000, memoryMb: 2047 })).toBe(CUSTOM);
  expect(presetOf(all, { cpuMillis: '', memoryMb: 2048 })).toBe(CUSTOM);
});
