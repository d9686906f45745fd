import { expect, test } from 'vitest';
import { sentence } from './sentence';

const operation = { id: 'restart-x-1', kind: 'RESTART' } as const;

test.each([
  [{ type: 'INSTANCE_CREATED', operation }, 'Instance requested'],
  [{ type: 'INSTANCE_UPDATED', operation: null }, 'Instance updated'],
  [{ type: 'STATE_CHANGED', from: 'RUNNING', to: 'UPDATING', operation }, 'State: running → updating'],
  [{ type: 'OPERATION_CREATED', operation }, 'Restart: requested'],
  [{ type: 'OPERATION_CHANGED', from: null, to: 'PENDING', operation }, 'Restart: — → pending'],
] as const)('%o reads as %s', (event, text) => {
  expect(sentence(event)).toBe(text);
});
