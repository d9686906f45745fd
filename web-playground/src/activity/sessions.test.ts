import { expect, test } from 'vitest';
import { blockers, runsStatement, sinceSeconds } from './sessions';

test('blockers are named by their process and role', () => {
  const sessions = [{ pid: 12, username: 'app' }];
  expect(blockers({ blockedBy: [] }, sessions)).toBe('');
  expect(blockers({ blockedBy: [12, 13, 0] }, sessions)).toBe('pid 12 (app), pid 13, a prepared transaction');
});

test('only what runs can be cancelled', () => {
  expect(runsStatement({ state: 'ACTIVE' })).toBe(true);
  expect(runsStatement({ state: 'IDLE_IN_TRANSACTION' })).toBe(false);
  expect(runsStatement({ state: null })).toBe(false);
});

test('a session is as old as what it does', () => {
  const seconds = { statementSeconds: 7, stateSeconds: 3 };
  expect(sinceSeconds({ ...seconds, state: 'ACTIVE' })).toBe(7);
  expect(sinceSeconds({ ...seconds, state: 'IDLE' })).toBe(3);
});
