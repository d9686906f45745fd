import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { graphql } from '../gql';
import { request } from '../lib/request';
import { type InstanceRow, useInstances } from './list';

/** The most deleted instances that are shown. */
const LIMIT = 500;

/** The deleted instances, the newest first; loaded again when another one is deleted. None unless `wanted`. */
export function useDeletedInstances(wanted: boolean): { rows: readonly InstanceRow[]; error: Error | null } {
  const { removals } = useInstances();
  const { data, error } = useQuery({
    queryKey: ['deletedInstances', removals],
    queryFn: async () => (await request(DELETED, { first: LIMIT })).instances.nodes,
    enabled: wanted,
    staleTime: 0,
    placeholderData: keepPreviousData,
  });
  return { rows: wanted ? (data ?? NONE) : NONE, error };
}

const NONE: readonly InstanceRow[] = [];

const DELETED = graphql(`
  query DeletedInstances($first: Int!) {
    instances(first: $first, filter: { state: [DELETED] }, orderBy: { field: CREATED_AT, direction: DESC }) {
      nodes {
        ...InstanceRow
      }
    }
  }
`);
