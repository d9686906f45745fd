import { expect, test } from 'vitest';
import { refusalOf } from './targets';

const RUNNING = { id: '1', name: 'orders', state: 'RUNNING', revision: '1', deletionProtected: false, availableOperations: ['RESTART', 'DELETE'] } as const;

test('what the server would refuse has a reason', () => {
  const of = (part: object) => ({ ...RUNNING, availableOperations: [...RUNNING.availableOperations], ...part });
  expect(refusalOf(of({}), 'DELETE')).toBe(undefined);
  expect(refusalOf(of({ deletionProtected: true, availableOperations: ['RESTART'] }), 'DELETE')).toBe('deletion protection is on');
  expect(refusalOf(of({ deletionProtected: true }), 'RESTART')).toBe(undefined);
  expect(refusalOf(of({ availableOperations: [] }), 'RESTART')).toBe('another operation is in progress');
  expect(refusalOf(of({ state: 'SUSPENDED', availableOperations: [] }), 'RESTART')).toBe('it is suspended');
});
