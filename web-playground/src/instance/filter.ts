import type { HealthStatus, InstanceState } from '../gql/graphql';
import type { InstanceRow } from './list';

export interface InstanceFilter {
  /** Parts of the name, of a label as `key=value`, or of the reason; all words must occur. */
  text: string;
  /** None means any. */
  states: readonly InstanceState[];
  healths: readonly HealthStatus[];
}

export type SortField = 'name' | 'state' | 'health' | 'version' | 'size' | 'age';

export interface Order {
  field: SortField;
  descending: boolean;
}

export function isEmpty({ text, states, healths }: InstanceFilter): boolean {
  return !text.trim() && !states.length && !healths.length;
}

/** The rows that match, in order. */
export function select(rows: readonly InstanceRow[], filter: InstanceFilter, order: Order): InstanceRow[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const matching = rows.filter(
    (row) =>
      (!filter.states.length || filter.states.includes(row.state)) &&
      (!filter.healths.length || filter.healths.includes(row.health)) &&
      (!words.length || matchesAll(row, words)),
  );
  const compare = COMPARE[order.field];
  const sign = order.descending ? -1 : 1;
  // Equal rows keep one order, whatever order the changes came in.
  return matching.sort((a, b) => sign * compare(a, b) || (a.name < b.name ? -1 : 1));
}

function matchesAll(row: InstanceRow, words: string[]): boolean {
  const text = [row.name, ...row.labels.map(({ key, value }) => `${key}=${value}`), row.reason?.message ?? ''].join('\n').toLowerCase();
  return words.every((word) => text.includes(word));
}

const COMPARE: Record<SortField, (a: InstanceRow, b: InstanceRow) => number> = {
  name: (a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)),
  // What wants attention comes first.
  state: by(['FAILED', 'CREATING', 'DELETING', 'RUNNING', 'DELETED'], (row) => row.state),
  health: by(['UNHEALTHY', 'UNKNOWN', 'HEALTHY'], (row) => row.health),
  version: (a, b) => parseFloat(a.postgresVersion) - parseFloat(b.postgresVersion),
  size: (a, b) => a.storageGb - b.storageGb,
  // The youngest first: RFC 3339 in one zone sorts as text.
  age: (a, b) => (a.createdAt > b.createdAt ? -1 : Number(a.createdAt < b.createdAt)),
};

function by<Value extends string>(order: readonly Value[], value: (row: InstanceRow) => Value) {
  return (a: InstanceRow, b: InstanceRow) => order.indexOf(value(a)) - order.indexOf(value(b));
}
