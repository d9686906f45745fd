import type { HealthStatus, InstanceState } from '../gql/graphql';
import type { InstanceRow } from './list';
import { HEALTH_VALUES, STATE_VALUES } from './states';

export interface InstanceFilter {
  /** Words that must all occur in the name, a label as `key=value`, the reason, or a notice. */
  text: string;
  /** Empty for any. */
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
  // Rows that compare equal are ordered by name, so that changes do not move them.
  return matching.sort((a, b) => sign * compare(a, b) || (a.name < b.name ? -1 : 1));
}

function matchesAll(row: InstanceRow, words: string[]): boolean {
  const text = [row.name, ...row.labels.map(({ key, value }) => `${key}=${value}`), row.reason?.message ?? '', ...row.notices.map(({ message }) => message)]
    .join('\n')
    .toLowerCase();
  return words.every((word) => text.includes(word));
}

const COMPARE: Record<SortField, (a: InstanceRow, b: InstanceRow) => number> = {
  name: (a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)),
  state: by(STATE_VALUES, (row) => row.state),
  health: by(HEALTH_VALUES, (row) => row.health),
  version: (a, b) => parseFloat(a.postgresVersion) - parseFloat(b.postgresVersion),
  size: (a, b) => a.storageGb - b.storageGb,
  // The newest first: RFC 3339 in one time zone sorts as text.
  age: (a, b) => (a.createdAt > b.createdAt ? -1 : Number(a.createdAt < b.createdAt)),
};

function by<Value extends string>(order: readonly Value[], value: (row: InstanceRow) => Value) {
  return (a: InstanceRow, b: InstanceRow) => order.indexOf(value(a)) - order.indexOf(value(b));
}
