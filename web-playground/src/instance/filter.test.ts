import { expect, test } from 'vitest';
import { type InstanceFilter, type Order, select } from './filter';
import type { InstanceRow } from './list';

const row = (name: string, rest: Partial<InstanceRow> = {}): InstanceRow => ({
  id: name,
  name,
  state: 'RUNNING',
  health: 'HEALTHY',
  reason: null,
  notices: [],
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
  row('new', { state: 'UPDATING', createdAt: '2025-12-31T00:00:00Z' }),
  row('orders-old', {
    health: 'UNHEALTHY',
    createdAt: '2026-01-02T00:00:00Z',
    notices: [{ code: 'PASSWORD_CHANGED', message: 'changed by SQL' }],
  }),
];

const none: InstanceFilter = { text: '', states: [], healths: [] };
const byName: Order = { field: 'name', descending: false };
const names = (filter: Partial<InstanceFilter>, order: Partial<Order> = {}) =>
  select(rows, { ...none, ...filter }, { ...byName, ...order }).map(({ name }) => name);

test('the text is searched in name, labels, reason and notices, word by word', () => {
  expect(names({ text: ' ORD ' })).toEqual(['orders', 'orders-old']);
  expect(names({ text: 'ord old' })).toEqual(['orders-old']);
  expect(names({ text: 'team=shop' })).toEqual(['orders']);
  expect(names({ text: 'quota' })).toEqual(['billing']);
  expect(names({ text: 'by sql' })).toEqual(['orders-old']);
});

test('states and healths filter the rows', () => {
  expect(names({ states: ['FAILED', 'CREATING'] })).toEqual(['billing']);
  expect(names({ states: ['UPDATING'] })).toEqual(['new']);
  expect(names({ states: ['RUNNING'], healths: ['UNHEALTHY'] })).toEqual(['orders-old']);
});

test('what needs attention comes first', () => {
  expect(names({}, { field: 'health' })).toEqual(['orders-old', 'billing', 'new', 'orders']);
  expect(names({}, { field: 'state' })).toEqual(['billing', 'new', 'orders', 'orders-old']);
});

test('ages sort from the newest to the oldest and back', () => {
  expect(names({}, { field: 'age' })).toEqual(['orders', 'orders-old', 'billing', 'new']);
  expect(names({}, { field: 'age', descending: true })).toEqual(['new', 'billing', 'orders-old', 'orders']);
});
