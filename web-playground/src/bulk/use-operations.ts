import { useEffect, useRef, useState } from 'react';
import { graphql } from '../gql';
import type { BulkOperationFragment, BulkProgressSubscription } from '../gql/graphql';
import { useInstances } from '../instance/list';
import { perFrame } from '../lib/per-frame';
import { pool } from '../lib/pool';
import { request } from '../lib/request';
import { follow } from '../live/connection';
import type { Outcome } from './outcome';
import { WIDTH } from './targets';

/** The outcomes, with what has become of the accepted operations since: live, by one subscription however many there are. */
export function useOperations(outcomes: ReadonlyMap<string, Outcome>): ReadonlyMap<string, Outcome> {
  const { cursor } = useInstances();
  // Events are read from here on: what was accepted later is not older.
  const begin = useRef(cursor);
  const accepted = useRef<string[]>([]);
  accepted.current = [...outcomes.values()].flatMap((outcome) => (outcome.is === 'ACCEPTED' ? outcome.operationId : []));
  const [operations, setOperations] = useState<ReadonlyMap<string, BulkOperationFragment>>(new Map());

  useEffect(() => {
    const known = new Map<string, BulkOperationFragment>();
    const frame = perFrame(() => setOperations(new Map(known)));
    const learn = (operation: BulkOperationFragment | null | undefined) => {
      if (!operation) return;
      known.set(operation.id, operation);
      frame.schedule();
    };
    const stop = follow<BulkProgressSubscription, BulkProgressSubscription['instanceEvents']>({
      query: BULK_PROGRESS.toString(),
      after: begin.current,
      next: ({ operation }) => learn(operation),
      // Events are missing, so the operations themselves are read.
      reset: () => void pool(accepted.current, WIDTH, async (id) => learn((await request(BULK_OPERATION, { id }).catch(() => undefined))?.operation)),
      error: () => undefined,
    });
    return () => {
      stop();
      frame.cancel();
    };
  }, []);

  return new Map(
    [...outcomes].map(([id, outcome]) => {
      const operation = outcome.is === 'ACCEPTED' ? operations.get(outcome.operationId) : undefined;
      return [id, operation ? { is: 'ACCEPTED', operationId: operation.id, status: operation.status, message: operation.error?.message } : outcome];
    }),
  );
}

const BULK_PROGRESS = graphql(`
  subscription BulkProgress($after: String) {
    instanceEvents(after: $after) {
      cursor
      operation {
        ...BulkOperation
      }
    }
  }

  fragment BulkOperation on Operation {
    id
    status
    error {
      message
    }
  }
`);

const BULK_OPERATION = graphql(`
  query BulkOperation($id: ID!) {
    operation(id: $id) {
      ...BulkOperation
    }
  }
`);
