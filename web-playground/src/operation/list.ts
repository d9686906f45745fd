import { useEffect, useRef, useState } from 'react';
import { graphql } from '../gql';
import type { OperationCardFragment, OperationFilter, OperationUpdatesSubscription } from '../gql/graphql';
import { useInstances } from '../instance/list';
import { perFrame } from '../lib/per-frame';
import { request } from '../lib/request';
import { retrying } from '../lib/use-query';
import { follow } from '../live/connection';

const PAGE = 50;

export interface OperationList {
  /** The newest first; undefined while loading. */
  operations?: readonly OperationCardFragment[];
  /** How many there were when they were loaded. */
  total: number;
  /** Loads older ones; undefined when all are there. */
  more?: () => void;
  error?: Error;
}

const EMPTY: OperationList = { total: 0 };

/** The operations that match, live: loaded a page at a time, and changed by the event log. */
export function useOperations(filter: OperationFilter): OperationList {
  const { cursor, loaded } = useInstances();
  const [list, setList] = useState(EMPTY);
  const key = JSON.stringify(filter);
  // Where the list of instances is now: what happens after it comes as events, what was before is in what is loaded.
  const begin = useRef(cursor);
  if (!begin.current) begin.current = cursor;

  useEffect(() => {
    if (!loaded) return;
    const wanted = JSON.parse(key) as OperationFilter;
    const ended = new AbortController();
    const known = new Map<string, OperationCardFragment>();
    // Of an operation that an event has told of, no loaded page knows better: later events bring it up to date.
    const told = new Set<string>();
    let page: { end?: string | null; hasMore: boolean; total: number } = { hasMore: false, total: 0 };

    const show = () =>
      setList({
        operations: [...known.values()].sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt)),
        total: page.total,
        more: page.hasMore ? () => void load().catch(fail) : undefined,
      });
    const frame = perFrame(show);
    const fail = (error: Error) => !ended.signal.aborted && setList((list) => ({ ...list, error }));

    async function load(): Promise<void> {
      const { operations } = await retrying(() => request(OPERATIONS, { first: PAGE, after: page.end, filter: wanted }), ended.signal);
      if (ended.signal.aborted) return;
      for (const operation of operations.nodes) if (!told.has(operation.id)) known.set(operation.id, operation);
      page = { end: operations.pageInfo.endCursor, hasMore: operations.pageInfo.hasNextPage, total: operations.totalCount };
      show();
    }

    const stop = follow<OperationUpdatesSubscription, OperationUpdatesSubscription['instanceEvents']>({
      query: OPERATION_UPDATES.toString(),
      variables: { instanceId: wanted.instanceId },
      after: begin.current,
      next: ({ operation }) => {
        if (!operation) return;
        told.add(operation.id);
        if (matches(operation, wanted)) known.set(operation.id, operation);
        else known.delete(operation.id);
        frame.schedule();
      },
      reset: () => {
        told.clear();
        known.clear();
        page = { hasMore: false, total: 0 };
        load().catch(fail);
      },
      error: fail,
    });
    setList(EMPTY);
    load().catch(fail);
    return () => {
      ended.abort();
      stop();
      frame.cancel();
    };
  }, [key, loaded]);

  return list;
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
    status
    cancelRequested
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
      state
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
