import { expect, test, vi } from 'vitest';
import { OperationKind } from '../gql/graphql';

// The access token is read when its module is loaded, and Node has no storage.
vi.stubGlobal('localStorage', { getItem: () => null });
const { KINDS } = await import('./kinds');

/** Started on another page than that of an instance: there is none yet. */
const STARTED_ELSEWHERE: OperationKind[] = ['CREATE'];

test('every kind of operation in the contract can be started', () => {
  const kinds = KINDS.map(({ kind }) => kind);
  expect([...kinds, ...STARTED_ELSEWHERE].sort()).toEqual(Object.values(OperationKind).sort());
});

test.each(KINDS)('$kind exports its icon and form', ({ icon, Form }) => {
  expect(icon).toBeDefined();
  expect(Form).toBeTypeOf('function');
});
