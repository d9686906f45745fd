import { expect, test } from 'vitest';
import { OperationKind } from '../gql/graphql';
import { KINDS } from './kinds';

/** Started on another page than that of an instance, where there is none yet, or in the panels of users, databases and backups. */
const STARTED_ELSEWHERE: OperationKind[] = ['CREATE', 'CREATE_BACKUP', 'CREATE_DATABASE', 'CREATE_DATABASE_USER', 'DROP_DATABASE', 'DROP_DATABASE_USER', 'RESTORE'];

test('every kind of operation in the contract can be started', () => {
  const kinds = KINDS.map(({ kind }) => kind);
  expect([...kinds, ...STARTED_ELSEWHERE].sort()).toEqual(Object.values(OperationKind).sort());
});

test.each(KINDS)('$kind exports its icon and form', ({ icon, Form }) => {
  expect(icon).toBeDefined();
  expect(Form).toBeTypeOf('function');
});
