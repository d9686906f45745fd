import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { polyline, sparklinesDocument } from './sparklines';

test('the request for many instances is one of the contract', () => {
  const schema = buildSchema(readFileSync(join(import.meta.dirname, '../../../schema.graphql'), 'utf8'));
  expect(validate(schema, parse(sparklinesDocument(46)))).toEqual([]);
});

test('a line goes from the left to the right, and as high as its highest value', () => {
  const at = (minute: number) => new Date(minute * 60_000).toISOString();
  const points = [0, 5, 10].map((minute, index) => ({ at: at(minute), value: [0, 5, 10][index] ?? 0 }));
  expect(polyline({ points }, 100, 22)).toBe('0.0,21.0 50.0,11.0 100.0,1.0');
  expect(polyline({ points: points.slice(2) }, 100, 22)).toBe('100.0,1.0');
  expect(polyline({ points: [{ at: at(0), value: 0 }] }, 100, 22)).toBe('100.0,21.0');
});
