import { useMemo } from 'react';
import { useSearchParams } from 'wouter';
import { DEFAULT_ORDER, type InstanceFilter, type Order, SORT_FIELDS } from './filter';
import { STATUS_VALUES } from './states';

export interface Query {
  filter: InstanceFilter;
  order: Order;
}

/** Filter and order are part of the URL, so that they survive navigation and can be shared. */
export function useFilter(): [Query, (change: Partial<Query>) => void] {
  const [params, setParams] = useSearchParams();
  const query = useMemo(() => read(params), [params]);
  return [query, (change) => setParams(write({ ...query, ...change }), { replace: true })];
}

export function read(params: URLSearchParams): Query {
  const wanted = params.getAll('status').map((status) => status.toUpperCase());
  const sort = params.get('sort') ?? '';
  const field = SORT_FIELDS.find((field) => field === sort.replace(/^-/, ''));
  return {
    filter: { text: params.get('q') ?? '', statuses: STATUS_VALUES.filter((status) => wanted.includes(status)), deleted: params.has('deleted') },
    order: field ? { field, descending: sort.startsWith('-') } : DEFAULT_ORDER,
  };
}

export function write({ filter: { text, statuses, deleted }, order: { field, descending } }: Query): URLSearchParams {
  const params = new URLSearchParams();
  if (text) params.set('q', text);
  for (const status of statuses) params.append('status', status.toLowerCase());
  if (deleted) params.set('deleted', '');
  if (field !== DEFAULT_ORDER.field || descending !== DEFAULT_ORDER.descending) params.set('sort', (descending ? '-' : '') + field);
  return params;
}
