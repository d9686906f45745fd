import { expect, test } from 'vitest';
import { sentence } from './sentence';

const operation = { id: 'restart-x-1', kind: 'RESTART' } as const;

test.each([
  [{ type: 'INSTANCE_CREATED', operation }, 'Instance requested'],
  [{ type: 'INSTANCE_UPDATED', operation: null }, 'Instance updated'],
  [{ type: 'INSTANCE_UPDATED', notices: [{ raised: true, notice: { code: 'STORAGE_LOW', message: '85 % are used' } }] }, 'Notice raised: storage low'],
  [{ type: 'INSTANCE_UPDATED', notices: [{ raised: false, notice: { code: 'STORAGE_LOW', message: '85 % are used' } }] }, 'Notice cleared: storage low'],
  [{ type: 'STATE_CHANGED', from: 'RUNNING', to: 'UPDATING', operation }, 'State: running → updating'],
  [{ type: 'OPERATION_CREATED', operation }, 'Restart: requested'],
  [{ type: 'OPERATION_CREATED', operation: { id: 'restore-x-1', kind: 'RESTORE', restoration: { clones: true } } }, 'Clone: requested'],
  [{ type: 'OPERATION_CHANGED', from: null, to: 'PENDING', operation }, 'Restart: — → pending'],
] as const)('%o reads as %s', (event, text) => {
  expect(sentence({ notices: [], ...event })).toBe(text);
});
