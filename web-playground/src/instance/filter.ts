import { labelText } from './label-text';
import type { InstanceRow } from './list';
import { STATUS_VALUES } from './states';
import { type InstanceStatus, statusOf } from './status';

export interface InstanceFilter {
  /** Words that must all occur in the name, a label as `key=value`, the reason, or a notice. */
  text: string;
  /** Empty for any. */
  statuses: readonly InstanceStatus[];
  /** Whether deleted instances are shown too. */
  deleted: boolean;
}

export type SortField = 'name' | 'status' | 'version' | 'size' | 'age';

export interface Order {
  field: SortField;
  descending: boolean;
}

/** The newest first. */
export const DEFAULT_ORDER: Order = { field: 'age', descending: false };

export function isEmpty({ text, statuses }: InstanceFilter): boolean {
  return !text.trim() && !statuses.length;
}

export interface Matches {
  /** The rows that match, in order. */
  rows: InstanceRow[];
  /** How many rows match the text, by status. */
  counts: ReadonlyMap<InstanceStatus, number>;
}

export function select(rows: readonly InstanceRow[], filter: InstanceFilter, order: Order): Matches {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const counts = new Map<InstanceStatus, number>();
  const matching: InstanceRow[] = [];
  for (const row of rows) {
    if (words.length && !matchesAll(row, words)) continue;
    const status = statusOf(row);
    counts.set(status, (counts.get(status) ?? 0) + 1);
    if (!filter.statuses.length || filter.statuses.includes(status)) matching.push(row);
  }
  const compare = COMPARE[order.field];
  const sign = order.descending ? -1 : 1;
  // Rows that compare equal are ordered by name, so that changes do not move them.
  return { rows: matching.sort((a, b) => sign * compare(a, b) || byName(a, b)), counts };
}

function matchesAll(row: InstanceRow, words: string[]): boolean {
  const text = [row.name, ...row.labels.map(labelText), row.reason?.message ?? '', ...row.notices.map(({ message }) => message)].join('\n').toLowerCase();
  return words.every((word) => text.includes(word));
}

function byName(a: InstanceRow, b: InstanceRow): number {
  return a.name < b.name ? -1 : Number(a.name > b.name);
}

const COMPARE: Record<SortField, (a: InstanceRow, b: InstanceRow) => number> = {
  name: byName,
  status: (a, b) => STATUS_VALUES.indexOf(statusOf(a)) - STATUS_VALUES.indexOf(statusOf(b)),
  version: (a, b) => parseFloat(a.postgresVersion) - parseFloat(b.postgresVersion),
  size: (a, b) => a.storageGb - b.storageGb,
  // The newest first: RFC 3339 in one time zone sorts as text.
  age: (a, b) => (a.createdAt > b.createdAt ? -1 : Number(a.createdAt < b.createdAt)),
};

export const SORT_FIELDS = Object.keys(COMPARE) as SortField[];
