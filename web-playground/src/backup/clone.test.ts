import { expect, test } from 'vitest';
import type { BackupsFragment } from '../gql/graphql';
import { canClone } from './clone';

const at = '2026-11-29T10:00:00Z';
const recovery = { from: at, to: at, intervals: [{ from: at, to: at }], gaps: [], lastDurableAt: at, lagSeconds: 0, archiving: true, storedBytes: '1', incomplete: null } as BackupsFragment['recovery'];

test('a host that copies data clones what runs or is suspended, without backups', () => {
  expect(canClone('RUNNING', true, null)).toBe(true);
  expect(canClone('SUSPENDED', true, null)).toBe(true);
  expect(canClone('UPDATING', true, recovery)).toBe(false);
  expect(canClone('DELETED', true, recovery)).toBe(false);
});

test('another one clones what runs and is archived', () => {
  expect(canClone('RUNNING', false, recovery)).toBe(true);
  expect(canClone('RUNNING', false, null)).toBe(false);
  expect(canClone('RUNNING', false, { ...recovery!, archiving: false })).toBe(false);
  expect(canClone('RUNNING', false, { ...recovery!, intervals: [] })).toBe(false);
  expect(canClone('SUSPENDED', false, recovery)).toBe(false);
});
