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

const none: InstanceFilter = { text: '', statuses: [], deleted: false };
const byName: Order = { field: 'name', descending: false };
const found = (filter: Partial<InstanceFilter>, order: Partial<Order> = {}) => select(rows, { ...none, ...filter }, { ...byName, ...order });
const names = (...criteria: Parameters<typeof found>) => found(...criteria).rows.map(({ name }) => name);

test('the text is searched in name, labels, reason and notices, word by word', () => {
  expect(names({ text: ' ORD ' })).toEqual(['orders', 'orders-old']);
  expect(names({ text: 'ord old' })).toEqual(['orders-old']);
  expect(names({ text: 'team=shop' })).toEqual(['orders']);
  expect(names({ text: 'quota' })).toEqual(['billing']);
  expect(names({ text: 'by sql' })).toEqual(['orders-old']);
});

test('statuses filter the rows', () => {
  expect(names({ statuses: ['FAILED', 'CREATING'] })).toEqual(['billing']);
  expect(names({ statuses: ['UPDATING'] })).toEqual(['new']);
  expect(names({ statuses: ['UNHEALTHY'] })).toEqual(['orders-old']);
});

test('statuses are counted among the rows that match the text, whatever their filter', () => {
  expect([...found({ statuses: ['FAILED'] }).counts]).toEqual([
    ['HEALTHY', 1],
    ['FAILED', 1],
    ['UPDATING', 1],
    ['UNHEALTHY', 1],
  ]);
  expect([...found({ text: 'orders' }).counts]).toEqual([
    ['HEALTHY', 1],
    ['UNHEALTHY', 1],
  ]);
});

test('what needs attention comes first', () => {
  expect(names({}, { field: 'status' })).toEqual(['billing', 'orders-old', 'new', 'orders']);
});

test('ages sort from the newest to the oldest and back', () => {
  expect(names({}, { field: 'age' })).toEqual(['orders', 'orders-old', 'billing', 'new']);
  expect(names({}, { field: 'age', descending: true })).toEqual(['new', 'billing', 'orders-old', 'orders']);
});
