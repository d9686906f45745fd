import { expect, test } from 'vitest';
import * as checks from './checks';

const limits = {
  nameLength: { min: 1, max: 63 },
  passwordBytes: { min: 8, max: 99 },
  labels: { min: 0, max: 2 },
  labelKeyLength: { min: 1, max: 63 },
  labelValueLength: { min: 0, max: 63 },
};
const instanceName = checks.instanceName(limits);
const password = checks.password(limits);
const labels = checks.labels(limits);

test('instance names are DNS labels', () => {
  for (const good of ['a', 'orders', 'a-1', 'x'.repeat(63)]) expect(instanceName(good), good).toBeNull();
  for (const bad of ['', '-a', 'a-', '1a', 'A', 'a_b', 'a.b', 'ä', 'x'.repeat(64)]) expect(instanceName(bad), bad).not.toBeNull();
});

test('what was taken or dropped meanwhile is said', () => {
  const all = [{ name: 'app' }];
  expect(checks.unused(all, 'database')('app')).toBe('There is a database of this name');
  expect(checks.unused(all, 'database')('archive')).toBeNull();
  expect(checks.among(all)('reports')).toBe('reports was dropped meanwhile');
  for (const good of ['app', null]) expect(checks.among(all)(good)).toBeNull();
});

test('roles and databases need no quotes', () => {
  for (const good of ['a', 'app', '_x', 'a1', 'app_owner', 'x'.repeat(63)]) expect(checks.sqlName(good), good).toBeNull();
  for (const bad of ['', 'App', 'a-b', '1a', 'a b', 'x'.repeat(64)]) expect(checks.sqlName(bad), bad).not.toBeNull();
});

test('passwords are optional', () => {
  expect(password('')).toBeNull();
  expect(password('short')).not.toBeNull();
  expect(password('long enough')).toBeNull();
  expect(password('with a\ttab')).not.toBeNull();
});

test('lengths come from the limits', () => {
  expect(checks.instanceName({ nameLength: { min: 1, max: 5 } })('orders')).toContain('1 to 5');
  expect(checks.password({ passwordBytes: { min: 12, max: 99 } })('long enough')).toBe('Must have 12 to 99 bytes');
});

test('labels have a character set, a maximum number and unique keys', () => {
  expect(labels([{ key: 'team', value: 'shop' }, { key: 'a.b/c', value: '' }])).toBeNull();
  expect(labels([{ key: '', value: 'x' }])).not.toBeNull();
  expect(labels([{ key: 'a b', value: '' }])).not.toBeNull();
  expect(labels([{ key: 'a', value: '1' }, { key: 'a', value: '2' }])).toBe('Duplicate key "a"');
  expect(labels(['a', 'b', 'c'].map((key) => ({ key, value: '' })))).toBe('At most 2 labels are allowed');
});
