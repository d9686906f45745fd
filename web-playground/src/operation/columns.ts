import type { Column } from '../frame/columns';

export type ColumnId = 'instance' | 'status' | 'requestedBy' | 'requested' | 'duration';

/** The columns next to the kind of the operation, which is always there. */
export const COLUMNS: readonly Column<ColumnId>[] = [
  { id: 'instance', name: 'Instance' },
  { id: 'status', name: 'Status' },
  { id: 'requestedBy', name: 'Requested by', from: 821 },
  { id: 'requested', name: 'Requested', from: 641 },
  { id: 'duration', name: 'Duration', from: 821 },
];
