import { expect, test } from 'vitest';
import { type InstanceFilter, type Order, select } from './filter';
import type { InstanceRow } from './list';

const row = (name: string, rest: Partial<InstanceRow> = {}): InstanceRow => ({
  id: name,
  name,
  state: 'RUNNING',
  health: 'HEALTHY',
  reason: null,
  postgresVersion: '17',
  storageGb: 10,
  cpuMillis: 500,
  memoryMb: 512,
  labels: [],
  createdAt: '2026-01-01T00:00:00Z',
  ...rest,
});

const rows = [
  row('orders', { createdAt: '2026-01-03T00:00:00Z', labels: [{ key: 'team', value: 'shop' }] }),
  row('billing', { state: 'FAILED', health: 'UNKNOWN', reason: { code: 'QUOTA_EXCEEDED', message: 'The quota is used up.' } }),
  row('orders-old', { health: 'UNHEALTHY', createdAt: '2026-01-02T00:00:00Z' }),
];

const none: InstanceFilter = { text: '', states: [], healths: [] };
const byName: Order = { field: 'name', descending: false };
const names = (filter: Partial<InstanceFilter>, order: Partial<Order> = {}) =>
  select(rows, { ...none, ...filter }, { ...byName, ...order }).map(({ name }) => name);

test('the text is looked for in name, labels and reason, word by word', () => {
  expect(names({ text: ' ORD ' })).toEqual(['orders', 'orders-old']);
  expect(names({ text: 'ord old' })).toEqual(['orders-old']);
  expect(names({ text: 'team=shop' })).toEqual(['orders']);
  expect(names({ text: 'quota' })).toEqual(['billing']);
});

test('states and healths narrow it down', () => {
  expect(names({ states: ['FAILED', 'CREATING'] })).toEqual(['billing']);
  expect(names({ states: ['RUNNING'], healths: ['UNHEALTHY'] })).toEqual(['orders-old']);
});

test('what wants attention comes first', () => {
  expect(names({}, { field: 'health' })).toEqual(['orders-old', 'billing', 'orders']);
  expect(names({}, { field: 'state' })).toEqual(['billing', 'orders', 'orders-old']);
});

test('ages go from the youngest to the oldest and back', () => {
  expect(names({}, { field: 'age' })).toEqual(['orders', 'orders-old', 'billing']);
  expect(names({}, { field: 'age', descending: true })).toEqual(['billing', 'orders-old', 'orders']);
});
