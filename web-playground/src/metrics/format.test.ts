import { expect, test } from 'vitest';
import { CHARTS, NAMES } from './charts';
import { format, tick } from './format';

test('values have their unit', () => {
  expect(format(0.9812, 'RATIO')).toBe('98.1%');
  expect(format(1_500_000, 'BYTES_PER_SECOND')).toBe('1.5 MB/s');
  expect(format(125, 'SECONDS')).toBe('2m 5s');
  expect(format(0.03333, 'PER_SECOND')).toBe('0.033/s');
  expect(format(12_345, 'PER_SECOND')).toBe('12.3k/s');
  expect(format(0, 'COUNT')).toBe('0');
  expect(format(undefined, 'COUNT')).toBe('—');
  expect(tick(0.5, 'RATIO')).toBe('50%');
});

test('a metric is in one chart', () => {
  expect(new Set(NAMES).size).toBe(NAMES.length);
  expect(new Set(CHARTS.map(({ title }) => title)).size).toBe(CHARTS.length);
});
