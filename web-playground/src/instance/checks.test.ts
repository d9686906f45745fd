import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { databaseName, instanceName, labels, password, roleName, storageGb } from './checks';

test('instance names are DNS labels', () => {
  for (const good of ['a', 'orders', 'a-1', 'x'.repeat(63)]) expect(instanceName(good), good).toBeNull();
  for (const bad of ['', '-a', 'a-', '1a', 'A', 'a_b', 'a.b', 'ä', 'x'.repeat(64)]) expect(instanceName(bad), bad).not.toBeNull();
});

test('roles and databases need no quotes and clash with nothing', () => {
  for (const good of ['app', '_x', 'a1', 'app_owner']) expect(roleName(good), good).toBeNull();
  for (const bad of ['', 'postgres', 'pg_read_all_data', 'user', 'App', 'a-b', '1a', 'a b', 'public']) expect(roleName(bad), bad).not.toBeNull();
  expect(databaseName('public')).toBeNull();
  expect(databaseName('template1')).not.toBeNull();
});

test('every word that the server reserves is reserved here', () => {
  const rust = readFileSync(new URL('../../../domain/src/name.rs', import.meta.url), 'utf8');
  const list = /RESERVED_WORDS: &\[&str\] = &\[([^\]]*)\]/.exec(rust)?.[1] ?? '';
  const words = [...list.matchAll(/"(\w+)"/g)].map(([, word]) => word ?? '');
  expect(words.length).toBeGreaterThan(90);
  for (const word of words) expect(databaseName(word), word).not.toBeNull();
});

test('passwords may be left out', () => {
  expect(password('')).toBeNull();
  expect(password('short')).not.toBeNull();
  expect(password('long enough')).toBeNull();
  expect(password('with a\ttab')).not.toBeNull();
});

test('numbers have ranges', () => {
  for (const good of [1, 65_536]) expect(storageGb(good)).toBeNull();
  for (const bad of [0, 65_537, 1.5, '']) expect(storageGb(bad)).not.toBeNull();
});

test('labels have their own characters, and keys come once', () => {
  expect(labels([{ key: 'team', value: 'shop' }, { key: 'a.b/c', value: '' }])).toBeNull();
  expect(labels([{ key: '', value: 'x' }])).not.toBeNull();
  expect(labels([{ key: 'a b', value: '' }])).not.toBeNull();
  expect(labels([{ key: 'a', value: '1' }, { key: 'a', value: '2' }])).toContain('twice');
});
