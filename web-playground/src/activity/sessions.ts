import { useQuery, useQueryClient } from '@tanstack/react-query';
import { graphql } from '../gql';
import type { ActivityQuery } from '../gql/graphql';
import { request } from '../lib/request';

export type Activity = NonNullable<ActivityQuery['instance']>['activity'];
export type Session = Activity['sessions'][number];

const REFRESH_MS = 5_000;

/** What the sessions of an instance do, again every five seconds while `watching`. A tab in the background does not ask. */
export function useActivity(id: string, watching: boolean) {
  return useQuery({
    queryKey: key(id),
    queryFn: async () => (await request(ACTIVITY, { id })).instance?.activity ?? null,
    enabled: watching,
    refetchInterval: REFRESH_MS,
    staleTime: REFRESH_MS,
  });
}

/** Reads the sessions again, after one was changed. */
export function useReloadActivity(id: string): () => void {
  const client = useQueryClient();
  return () => void client.invalidateQueries({ queryKey: key(id) });
}

const key = (id: string) => ['activity', id];

/** Whether there is a statement to cancel. */
export function runsStatement({ state }: Pick<Session, 'state'>): boolean {
  return state === 'ACTIVE' || state === 'FASTPATH_FUNCTION_CALL' || state === 'DISABLED';
}

/** The seconds that a session has been doing what it does. */
export function sinceSeconds({ state, statementSeconds, stateSeconds }: Pick<Session, 'state' | 'statementSeconds' | 'stateSeconds'>): number | null | undefined {
  return state === 'ACTIVE' ? statementSeconds : stateSeconds;
}

/** Who blocks a session: `pid 12 (app)`. */
export function blockers({ blockedBy }: Pick<Session, 'blockedBy'>, sessions: readonly Pick<Session, 'pid' | 'username'>[]): string {
  return blockedBy
    .map((pid) => {
      if (pid === 0) return 'a prepared transaction';
      const username = sessions.find((session) => session.pid === pid)?.username;
      return username ? `pid ${pid} (${username})` : `pid ${pid}`;
    })
    .join(', ');
}

const ACTIVITY = graphql(`
  query Activity($id: ID!) {
    instance(id: $id) {
      activity {
        readAt
        totalSessions
        sessions {
          id
          pid
          username
          database
          applicationName
          clientAddress
          state
          waitEventType
          waitEvent
          blockedBy
          transactionSeconds
          statementSeconds
          stateSeconds
          statement
        }
        reason {
          message
        }
      }
    }
  }
`);
