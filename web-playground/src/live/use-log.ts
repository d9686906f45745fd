import { useEffect, useState } from 'react';
import type { TypedDocumentString } from '../gql/graphql';
import { perFrame } from '../lib/per-frame';
import { retrying } from '../lib/use-query';
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
 * The newest entries of a log: what is kept already, by `load`, and every later one as it comes, by the subscription `query`
 * that goes on behind the newest loaded. `key` names the log; the functions are read when it changes.
 */
export function useLog<Item extends LogItem, Data, Variables extends { after?: string | null }>(options: {
  key: string;
  /** The newest first. */
  load: () => Promise<readonly Item[]>;
  query: TypedDocumentString<Data, Variables>;
  variables: Omit<Variables, 'after'>;
  /** How many entries to keep. */
  limit: number;
}): Log<Item> {
  const { key } = options;
  const [log, setLog] = useState<Log<Item>>({});
  useEffect(() => {
    const { load, query, variables, limit } = options;
    const ended = new AbortController();
    let items: readonly Item[] = [];
    let stop = () => {};
    const frame = perFrame(() => setLog({ items }));
    const fail = (error: Error) => !ended.signal.aborted && setLog({ items, error });

    async function begin(): Promise<void> {
      items = (await retrying(load, ended.signal)).slice(0, limit);
      if (ended.signal.aborted) return;
      setLog({ items });
      stop = follow<Data, Item>({
        query: query.toString(),
        variables,
        // Zero is before the first: nothing that comes between loading and subscribing is missed.
        after: items[0]?.cursor ?? '0',
        next: (item) => {
          items = [item, ...items].slice(0, limit);
          frame.schedule();
        },
        // The server no longer keeps what follows the cursor, so the gap is closed by loading again.
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
      stop();
      frame.cancel();
    };
  }, [key]);
  return log;
}
