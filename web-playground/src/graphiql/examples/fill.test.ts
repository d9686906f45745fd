import { expect, test } from 'vitest';
import { examples } from '.';
import { fill } from './fill';

const existing = { instance: { id: 'the-instance', name: 'orders', upgrade: '99' }, operation: 'the-operation', backup: 'the-backup' };
const variables = (operation: string) => {
  const example = examples.find(({ query }) => query.includes(` ${operation}(`));
  return example && fill(example, existing).variables;
};

test('the examples name what exists', () => {
  expect(variables('RestartInstance')).toContain('"id": "the-instance"');
  expect(variables('WatchHealth')).toContain('"instanceId": "the-instance"');
  expect(variables('CancelOperation')).toContain('"id": "the-operation"');
  expect(variables('UpdateBackup')).toContain('"id": "the-backup"');
  expect(variables('Instance')).toContain('"name": "orders"');
  expect(variables('RestoreInstance')).toContain('"sourceId": "the-instance"');
  expect(variables('UpgradeInstance')).toContain('"version": "99"');
});

test('nothing is empty but what would be lost, and what only administrators can ask for', () => {
  const empty = examples.filter((example) => fill(example, existing).variables?.includes('""')).map(({ query }) => /(?:mutation|subscription|query) (\w+)/.exec(query)?.[1] ?? '');
  for (const name of empty) expect(name).toMatch(/^(Delete|Drop|Revoke)|^(CancelQuery|TerminateSession|UpdateWebhook|RotateWebhookSecret|TestWebhook)$/);
  expect(empty).toContain('TestWebhook');
  expect(empty).toContain('DeleteInstance');
});

test('without an instance its ID stays empty', () => {
  const restart = examples.find(({ query }) => query.includes('restartInstance'));
  expect(restart && fill(restart, {}).variables).toContain('"id": ""');
});
