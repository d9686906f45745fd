import { useEffect, useRef } from 'react';
import { Store, useStore } from '../lib/store';

/** The state of the live connection. */
export interface Connection {
  state: 'connecting' | 'live' | 'lost' | 'refused';
  /** Why it was lost. */
  cause?: string;
}

export const connection = new Store<Connection>({ state: 'connecting' });

/** Whether what the page shows may be out of date. */
export function useStale(): boolean {
  const { state } = useStore(connection);
  return state === 'lost' || state === 'refused';
}

/** Calls `work` each time the page is live again. */
export function useOnReconnect(work: () => void): void {
  const latest = useRef(work);
  useEffect(() => {
    latest.current = work;
  });
  useEffect(() => {
    let { state } = connection.get();
    return connection.subscribe(() => {
      const former = state;
      ({ state } = connection.get());
      if (state === 'live' && former !== 'live') latest.current();
    });
  }, []);
}
