import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { graphql } from '../gql';
import type { OperationCardFragment, OperationFilter, OperationUpdatesSubscription } from '../gql/graphql';
import { useInstances } from '../instance/list';
import { perFrame } from '../lib/per-frame';
import { request } from '../lib/request';
import { follow } from '../live/connection';

const PAGE = 50;

export interface OperationList {
  /** The newest first; undefined while loading. */
  operations?: readonly OperationCardFragment[];
  /** How many matched when they were loaded. */
  total: number;
  /** Loads older ones; undefined when all are loaded. */
  more?: () => void;
  error?: Error | null;
}

interface Changes {
  key?: string;
  /** Operations that events have reported, by id. */
  changed: ReadonlyMap<string, OperationCardFragment>;
  error?: Error;
}

const NONE: Changes = { changed: new Map() };

/** The operations that match, live: loaded page by page, and updated from the event log. */
export function useOperations(filter: OperationFilter): OperationList {
  const { cursor, loaded } = useInstances();
  const key = JSON.stringify(filter);
  // Events are read from here on; everything before is in the pages, which are loaded later.
  const begin = useRef(cursor);
  if (!begin.current) begin.current = cursor;

  const { data, error, hasNextPage, fetchNextPage, refetch } = useInfiniteQuery({
    queryKey: ['operations', key],
    queryFn: async ({ pageParam }) => (await request(OPERATIONS, { first: PAGE, after: pageParam, filter })).operations,
    initialPageParam: undefined as string | null | undefined,
    getNextPageParam: ({ pageInfo }) => (pageInfo.hasNextPage ? pageInfo.endCursor : undefined),
    enabled: loaded,
    // Events are not read while the list is not shown, so its pages are outdated when it is shown again.
    gcTime: 0,
  });

  const [changes, setChanges] = useState(NONE);
  useEffect(() => {
    if (!loaded) return;
    const changed = new Map<string, OperationCardFragment>();
    const frame = perFrame(() => setChanges({ key, changed: new Map(changed) }));
    const stop = follow<OperationUpdatesSubscription, OperationUpdatesSubscription['instanceEvents']>({
      query: OPERATION_UPDATES.toString(),
      variables: { instanceId: (JSON.parse(key) as OperationFilter).instanceId },
      after: begin.current,
      next: ({ operation }) => {
        if (!operation) return;
        changed.set(operation.id, operation);
        frame.schedule();
      },
      reset: () => {
        changed.clear();
        frame.schedule();
        void refetch();
      },
      error: (error) => setChanges({ key, changed: new Map(changed), error }),
    });
    return () => {
      stop();
      frame.cancel();
    };
  }, [key, loaded, refetch]);
  const current = changes.key === key ? changes : NONE;

  const operations = useMemo(() => {
    if (!data) return undefined;
    const known = new Map(data.pages.flatMap(({ nodes }) => nodes).map((operation) => [operation.id, operation]));
    // An event is never older than a page: later events update it.
    for (const operation of current.changed.values()) {
      if (matches(operation, JSON.parse(key) as OperationFilter)) known.set(operation.id, operation);
      else known.delete(operation.id);
    }
    return [...known.values()].sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
  }, [data, current, key]);

  return {
    operations,
    total: data?.pages.at(-1)?.totalCount ?? 0,
    more: hasNextPage ? () => void fetchNextPage() : undefined,
    error: error ?? current.error,
  };
}

function matches({ kind, status }: OperationCardFragment, filter: OperationFilter): boolean {
  return (!filter.kind?.length || filter.kind.includes(kind)) && (!filter.status?.length || filter.status.includes(status));
}

const OPERATIONS = graphql(`
  query Operations($first: Int!, $after: String, $filter: OperationFilter) {
    operations(first: $first, after: $after, filter: $filter) {
      totalCount
      pageInfo {
        endCursor
        hasNextPage
      }
      nodes {
        ...OperationCard
      }
    }
  }

  fragment OperationCard on Operation {
    id
    kind
    restoration {
      clones
    }
    status
    cancelRequested
    requestedBy
    canCancel
    canRetry
    createdAt
    startedAt
    finishedAt
    error {
      code
      message
    }
    instance {
      id
      name
    }
    steps {
      name
      status
      attempt
      startedAt
      finishedAt
      error {
        code
        message
      }
      findings
    }
  }
`);

const OPERATION_UPDATES = graphql(`
  subscription OperationUpdates($instanceId: ID, $after: String) {
    instanceEvents(instanceId: $instanceId, after: $after) {
      cursor
      operation {
        ...OperationCard
      }
    }
  }
`);
