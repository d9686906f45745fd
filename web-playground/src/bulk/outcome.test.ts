import { expect, test } from 'vitest';
import { groupOf, listed, type Outcome, summary, tally } from './outcome';

const accepted = (status: 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED'): Outcome => ({ is: 'ACCEPTED', operationId: '7', status });

test('an accepted operation is done when it has succeeded', () => {
  expect(['PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'].map((status) => groupOf(accepted(status as 'PENDING')))).toEqual(['open', 'open', 'done', 'failed', 'failed']);
});

test('every instance is counted once', () => {
  const outcomes: Outcome[] = [{ is: 'WAITING' }, { is: 'SENDING' }, { is: 'SKIPPED' }, { is: 'REFUSED', message: '' }, { is: 'CHANGED' }, accepted('SUCCEEDED'), accepted('RUNNING')];
  expect(summary(tally(outcomes))).toBe('2 of 7 done, 1 failed, 1 not sent, 3 in progress');
  expect(summary(tally([accepted('SUCCEEDED')]))).toBe('1 of 1 done');
});

test('what has failed comes first, and the others keep their order', () => {
  const outcomes: [string, Outcome][] = [
    ['a', accepted('SUCCEEDED')],
    ['b', { is: 'WAITING' }],
    ['c', { is: 'SKIPPED' }],
    ['d', accepted('SUCCEEDED')],
    ['e', accepted('FAILED')],
  ];
  expect(listed(outcomes).map(([id]) => id)).toEqual(['e', 'c', 'a', 'b', 'd']);
});
