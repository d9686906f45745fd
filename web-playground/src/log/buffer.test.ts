import { expect, test } from 'vitest';
import type { LogLineFragment } from '../gql/graphql';
import { LogBuffer } from './buffer';

const entry = (number: number, message = `message ${number}`) => ({ cursor: String(number), message, statement: number === 3 ? 'SELECT Special' : null }) as LogLineFragment;
const messages = (buffer: LogBuffer) => buffer.shown.map(({ entry }) => entry?.message ?? 'gap');

test('entries are selected by a text in any of their parts, also those to come', () => {
  const buffer = new LogBuffer();
  buffer.append([entry(1, 'Deadlock detected'), entry(2)], false);
  buffer.filter(' dEAD ');
  expect(messages(buffer)).toEqual(['Deadlock detected']);
  buffer.append([entry(3), entry(4, 'another deadlock')], true);
  expect(messages(buffer)).toEqual(['Deadlock detected', 'gap', 'another deadlock']);
  buffer.filter('special');
  expect(messages(buffer)).toEqual(['gap', 'message 3']);
  buffer.filter('');
  expect(buffer.shown.length).toBe(5);
  expect(new Set(buffer.shown.map(({ key }) => key)).size).toBe(5);
});

test('the newest 100,000 are kept', () => {
  const buffer = new LogBuffer();
  for (let from = 0; from < 120_000; from += 1000) buffer.append(Array.from({ length: 1000 }, (_, index) => entry(from + index)), false);
  expect(buffer.size).toBeGreaterThanOrEqual(100_000);
  expect(buffer.size).toBeLessThanOrEqual(110_000);
  expect(messages(buffer).at(-1)).toBe('message 119999');
});
