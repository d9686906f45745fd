import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useRef } from 'react';
import { graphql } from '../gql';
import type { BulkTargetQuery, OperationKind } from '../gql/graphql';
import type { InstanceRow } from '../instance/list';
import { label } from '../lib/label';
import { pool } from '../lib/pool';
import { request } from '../lib/request';

/** What has to be known of an instance before something is done to it. */
export type Target = NonNullable<BulkTargetQuery['instance']>;

/** An instance to which it is not done, and why. */
export interface Refusal {
  id: string;
  name: string;
  reason: string;
}

/** Requests at a time, so that a large selection does not keep others waiting. */
export const WIDTH = 4;

/** The instances as they are now; one is read again when its state changes. An instance that is gone is left out. */
export function useTargets(rows: readonly Pick<InstanceRow, 'id' | 'state'>[], enabled: boolean) {
  const known = useRef(new Map<string, Target>());
  return useQuery({
    queryKey: ['bulkTargets', rows.map(({ id, state }) => [id, state])],
    queryFn: async ({ signal }) => {
      const unknown = rows.filter(({ id, state }) => known.current.get(id)?.state !== state);
      const read = async ({ id }: { id: string }) => {
        const target = await readTarget(id);
        if (target) known.current.set(id, target);
      };
      await pool(unknown, WIDTH, read, signal);
      return rows.flatMap(({ id }) => known.current.get(id) ?? []);
    },
    enabled,
    staleTime: 0,
    gcTime: 0,
    placeholderData: keepPreviousData,
  });
}

export async function readTarget(id: string): Promise<Target | null> {
  return (await request(TARGET, { id })).instance ?? null;
}

/** Why the server would refuse an operation of an instance; undefined if it would not. */
export function refusalOf({ state, deletionProtected, availableOperations }: Omit<Target, 'labels'>, kind: OperationKind): string | undefined {
  if (availableOperations.includes(kind)) return undefined;
  if (kind === 'DELETE' && deletionProtected) return 'deletion protection is on';
  return state === 'RUNNING' ? 'another operation is in progress' : `it is ${label(state).toLowerCase()}`;
}

const TARGET = graphql(`
  query BulkTarget($id: ID!) {
    instance(id: $id) {
      id
      name
      state
      revision
      deletionProtected
      availableOperations
      labels {
        key
        value
      }
    }
  }
`);
