import type { InstancePageFragment } from '../gql/graphql';
import type { UserError } from '../lib/user-errors';

type Present = InstancePageFragment['parameters'];

/** A parameter in the form. */
export interface Row {
  name: string;
  value: string;
}

/** What the owner wants to have at present, what waits for a restart included. */
export function initialRows(present: Present): Row[] {
  return present.flatMap(({ name, value, pendingRestart, pendingValue }) => {
    const wanted = pendingRestart ? pendingValue : value;
    return wanted == null ? [] : [{ name, value: wanted }];
  });
}

/** All rows, in their order so that errors can be assigned to them, and then what was removed. */
export function changesOf(present: Present, rows: Row[]): { name: string; value: string | null }[] {
  const removed = initialRows(present).filter(({ name }) => !rows.some((row) => row.name === name));
  return [...rows, ...removed.map(({ name }) => ({ name, value: null }))];
}

/** The error of each row, by its position. */
export function errorsOf(errors: readonly UserError[]): (string | undefined)[] {
  const byRow: (string | undefined)[] = [];
  for (const { field, message } of errors) {
    const [list, index] = field;
    if (list === 'parameters' && index !== undefined) byRow[Number(index)] = message;
  }
  return byRow;
}
