import { expect, test } from 'vitest';
import { examples } from '.';
import { fill } from './fill';

const now = new Date('2026-01-01T00:00:00Z');
const existing = { instance: { id: 'the-instance', name: 'orders' }, operation: 'the-operation', backup: 'the-backup' };
const variables = (operation: string) => {
  const example = examples.find(({ query }) => query.includes(` ${operation}(`));
  return example && fill(example, existing, now).variables;
};

test('the examples name what exists', () => {
  expect(variables('RestartInstance')).toContain('"id": "the-instance"');
  expect(variables('WatchHealth')).toContain('"instanceId": "the-instance"');
  expect(variables('CancelOperation')).toContain('"id": "the-operation"');
  expect(variables('UpdateBackup')).toContain('"id": "the-backup"');
  expect(variables('Instance')).toContain('"name": "orders"');
  expect(variables('RestoreInstance')).toContain('"time": "2026-01-01T00:00:00.000Z"');
});

test('nothing is empty but what would be lost', () => {
  const empty = examples.filter((example) => fill(example, existing, now).variables?.includes('""')).map(({ query }) => /(?:mutation|subscription|query) (\w+)/.exec(query)?.[1] ?? '');
  for (const name of empty) expect(name).toMatch(/^(Delete|Drop|Revoke)/);
  expect(empty).toContain('DeleteInstance');
});

test('without an instance its ID stays empty', () => {
  const restart = examples.find(({ query }) => query.includes('restartInstance'));
  expect(restart && fill(restart, {}, now).variables).toContain('"id": ""');
});
