import type { OperationKind } from '../gql/graphql';
import { label } from '../lib/label';
import { ACTIVITIES } from './activities';

export interface NamedOperation {
  kind: OperationKind;
  restoration?: { clones: boolean } | null;
}

/** What an operation is called. A clone is of the kind `RESTORE`. */
export function nameOf({ kind, restoration }: NamedOperation): string {
  return restoration?.clones ? 'Clone' : label(kind);
}

/** What an operation does to its instance while it is in progress. */
export function activityOf({ kind, restoration }: NamedOperation): string {
  return restoration?.clones ? 'Cloning' : ACTIVITIES[kind];
}
