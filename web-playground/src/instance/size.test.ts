import { expect, test } from 'vitest';
import { bytes, cpu, memory, storage, used } from './size';

test('sizes are exact', () => {
  expect([100, 250, 500, 1000, 1500, 64_000].map(cpu)).toEqual(['0.1 vCPU', '0.25 vCPU', '0.5 vCPU', '1 vCPU', '1.5 vCPU', '64 vCPU']);
  expect([256, 1024, 1280, 1300, 1536].map(memory)).toEqual(['256 MiB', '1 GiB', '1.25 GiB', '1300 MiB', '1.5 GiB']);
  expect([1, 1000, 1024, 1536, 5000].map(storage)).toEqual(['1 GiB', '1000 GiB', '1 TiB', '1.5 TiB', '5000 GiB']);
});

test('what is used of a volume has the unit that it needs', () => {
  expect([0, 43_000_000, 2 ** 30, 1.55 * 2 ** 30, 5000 * 2 ** 30].map((bytes) => used(String(bytes)))).toEqual(['0 MiB', '41 MiB', '1 GiB', '1.6 GiB', '5000 GiB']);
});

test('bytes are rough', () => {
  expect(['0', '999', '1000', '12345', '1500000000'].map(bytes)).toEqual(['0 B', '999 B', '1.0 kB', '12 kB', '1.5 GB']);
});
