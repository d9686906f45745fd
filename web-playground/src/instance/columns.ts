import type { Column } from '../frame/columns';
import type { SortField } from './filter';

export type ColumnId = 'status' | 'endpoint' | 'version' | 'size' | 'transactions' | 'age';

/** The columns of the list next to the name, which is always there. One without a field is not sortable. */
export const COLUMNS: readonly (Column<ColumnId> & { field?: SortField })[] = [
  { id: 'status', name: 'Status', field: 'status' },
  { id: 'endpoint', name: 'Endpoint', from: 1081 },
  { id: 'version', name: 'Version', field: 'version', from: 821 },
  { id: 'size', name: 'Size', field: 'size', from: 821 },
  { id: 'transactions', name: 'Transactions', from: 1401 },
  { id: 'age', name: 'Age', field: 'age', from: 521 },
];
