import { useEffect } from 'react';
import { graphql } from '../gql';
import type { InstanceRowFragment, InstancesSubscription } from '../gql/graphql';
import { perFrame } from '../lib/per-frame';
import { Store, useStore } from '../lib/store';
import { follow } from '../live/connection';

export type InstanceRow = InstanceRowFragment;

export interface InstanceList {
  /** In no particular order. */
  rows: readonly InstanceRow[];
  /** False until the first snapshot is complete. */
  loaded: boolean;
  /** The cursor of the last change: other subscriptions resume from it. */
  cursor?: string;
  /** How many instances were deleted since the page was opened. */
  removals: number;
  error?: Error;
}

const list = new Store<InstanceList>({ rows: [], loaded: false, removals: 0 });

/** Every instance that is not deleted, live. */
export function useInstances(): InstanceList {
  return useStore(list);
}

/** Keeps the list live while the component is mounted: the frame, which is on every page. */
export function useLiveInstances(): void {
  useEffect(() => {
    let rows = new Map<string, InstanceRow>();
    let snapshot = new Map<string, InstanceRow>();
    let cursor: string | undefined;
    let removals = 0;
    const frame = perFrame(() => list.set({ rows: [...rows.values()], loaded: true, cursor, removals }));
    const stop = follow<InstancesSubscription, InstancesSubscription['instances']>({
      query: INSTANCES.toString(),
      next: ({ type, instance, instanceId, cursor: at }) => {
        switch (type) {
          case 'SNAPSHOT':
            if (instance) snapshot.set(instance.id, instance);
            return;
          case 'SNAPSHOT_COMPLETE':
            rows = snapshot;
            snapshot = new Map();
            break;
          case 'UPSERTED':
            if (instance) rows.set(instance.id, instance);
            break;
          case 'REMOVED':
            if (instanceId && rows.delete(instanceId)) removals++;
            break;
        }
        cursor = at;
        frame.schedule();
      },
      // The rows stay until the new snapshot is complete, so that the table does not flicker.
      reset: () => snapshot.clear(),
      error: (error) => list.set({ ...list.get(), error }),
    });
    return () => {
      stop();
      frame.cancel();
    };
  }, []);
}

const INSTANCES = graphql(`
  subscription Instances($after: String) {
    instances(after: $after) {
      type
      cursor
      instanceId
      instance {
        ...InstanceRow
      }
    }
  }

  fragment InstanceRow on Instance {
    id
    name
    state
    health
    currentOperation {
      kind
      restoration {
        clones
      }
    }
    reason {
      code
      message
    }
    notices {
      code
      message
    }
    postgresVersion
    storageGb
    cpuMillis
    memoryMb
    labels {
      key
      value
    }
    endpoint {
      host
      port
    }
    createdAt
  }
`);
