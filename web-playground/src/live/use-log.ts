import { type QueryKey, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { TypedDocumentString } from '../gql/graphql';
import { perFrame } from '../lib/per-frame';
import { follow } from './connection';

interface LogItem {
  cursor: string;
}

export interface Log<Item> {
  /** The newest first; undefined while loading. */
  items?: readonly Item[];
  error?: Error;
}

/**
 * The newest entries of a log: existing ones from `load`, later ones from the subscription `query`, which starts after the newest
 * loaded entry. `key` identifies the log; the other options are read when it changes.
 */
export function useLog<Item extends LogItem, Data, Variables extends { after?: string | null }>(options: {
  key: QueryKey;
  /** The newest first. */
  load: () => Promise<readonly Item[]>;
  query: TypedDocumentString<Data, Variables>;
  variables: Omit<Variables, 'after'>;
  /** The number of entries to keep. */
  limit: number;
}): Log<Item> {
  const client = useQueryClient();
  const key = JSON.stringify(options.key);
  const [log, setLog] = useState<Log<Item>>({});
  useEffect(() => {
    const { key: queryKey, load, query, variables, limit } = options;
    const ended = new AbortController();
    let items: readonly Item[] = [];
    let stop = () => {};
    const frame = perFrame(() => setLog({ items }));
    const fail = (error: Error) => !ended.signal.aborted && setLog({ items, error });

    async function begin(): Promise<void> {
      // Not from the cache: entries since then are missing in it.
      items = (await client.fetchQuery({ queryKey, queryFn: load, staleTime: 0, gcTime: 0 })).slice(0, limit);
      if (ended.signal.aborted) return;
      setLog({ items });
      stop = follow<Data, Item>({
        query: query.toString(),
        variables,
        // Nothing between loading and subscribing is missed; '0' is before the first entry.
        after: items[0]?.cursor ?? '0',
        next: (item) => {
          items = [item, ...items].slice(0, limit);
          frame.schedule();
        },
        // The server no longer keeps all entries after the cursor, so they are loaded again.
        reset: () => {
          stop();
          begin().catch(fail);
        },
        error: fail,
      });
    }

    setLog({});
    begin().catch(fail);
    return () => {
      ended.abort();
      void client.cancelQueries({ queryKey });
      stop();
      frame.cancel();
    };
  }, [client, key]);
  return log;
}
