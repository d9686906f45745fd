import { useEffect, useState } from 'react';
import type { TypedDocumentString } from '../gql/graphql';
import { perFrame } from '../lib/per-frame';
import { follow } from './connection';

export interface Latest<Value> {
  /** Undefined until the first value arrives. */
  value?: Value;
  error?: Error;
}

/** The latest value of a subscription that starts with the current value. It needs no cursor. */
export function useLatest<Value extends object>(query: TypedDocumentString<object, { id: string }>, id: string): Latest<Value> {
  const [latest, setLatest] = useState<Latest<Value> & { id?: string }>({});
  useEffect(() => {
    let value: Value | undefined;
    const frame = perFrame(() => setLatest({ id, value }));
    const stop = follow<object, Value>({
      query: query.toString(),
      variables: { id },
      next: (item) => {
        value = item;
        frame.schedule();
      },
      reset: () => {},
      error: (error) => setLatest({ id, value, error }),
    });
    return () => {
      stop();
      frame.cancel();
    };
  }, [query, id]);
  // Not the value of another id in the rendering before the effect runs.
  return latest.id === id ? latest : {};
}
