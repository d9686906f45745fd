import type { MetricName } from '../gql/graphql';

export interface Line {
  name: MetricName;
  label: string;
}

export interface Chart {
  title: string;
  lines: readonly Line[];
  /** The values that the axis at least goes up to. */
  atLeast?: number;
}

/** The charts of an instance: a new one is one entry. A metric is in one chart at most. */
export const CHARTS: readonly Chart[] = [
  {
    title: 'Connections',
    lines: [
      { name: 'ACTIVE_CONNECTIONS', label: 'Active' },
      { name: 'IDLE_CONNECTIONS', label: 'Idle' },
      { name: 'IDLE_IN_TRANSACTION_CONNECTIONS', label: 'Idle in transaction' },
      { name: 'MAX_CONNECTIONS', label: 'Limit' },
    ],
  },
  {
    title: 'Transactions',
    lines: [
      { name: 'COMMITS', label: 'Committed' },
      { name: 'ROLLBACKS', label: 'Rolled back' },
    ],
  },
  {
    title: 'Rows',
    lines: [
      { name: 'ROWS_READ', label: 'Read' },
      { name: 'ROWS_WRITTEN', label: 'Written' },
    ],
  },
  { title: 'Cache hits', lines: [{ name: 'CACHE_HIT_RATIO', label: 'Found in shared_buffers' }], atLeast: 1 },
  {
    title: 'Disk',
    lines: [
      { name: 'VOLUME_USED', label: 'Used' },
      { name: 'DATABASE_SIZE', label: 'Databases' },
      { name: 'VOLUME_AVAILABLE', label: 'Free' },
    ],
  },
  { title: 'WAL', lines: [{ name: 'WAL_BYTES', label: 'Written' }] },
  { title: 'Temporary files', lines: [{ name: 'TEMPORARY_BYTES', label: 'Written' }] },
  {
    title: 'Checkpoints',
    lines: [
      { name: 'TIMED_CHECKPOINTS', label: 'Due' },
      { name: 'REQUESTED_CHECKPOINTS', label: 'Requested' },
    ],
  },
  { title: 'Longest transaction', lines: [{ name: 'LONGEST_TRANSACTION', label: 'Age' }] },
  { title: 'Oldest unfrozen transaction', lines: [{ name: 'OLDEST_UNFROZEN_AGE', label: 'Age in transactions' }] },
  { title: 'Sessions that wait for a lock', lines: [{ name: 'BLOCKED_CONNECTIONS', label: 'Blocked' }] },
  { title: 'Deadlocks', lines: [{ name: 'DEADLOCKS', label: 'Deadlocks' }] },
  { title: 'WAL kept by replication slots', lines: [{ name: 'SLOT_WAL', label: 'Kept' }] },
];

/** The metrics of all charts. */
export const NAMES: MetricName[] = CHARTS.flatMap(({ lines }) => lines.map(({ name }) => name));
