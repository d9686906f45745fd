import { useEffect, useRef, useState } from 'react';
import { RequestError } from './request';

export interface Loaded<Result> {
  data?: Result;
  error?: Error;
}

const RETRY_AFTER_MS = 2_000;

/**
 * Loads something once per `key`. While the server is away it tries again, for a page that is open during a restart should
 * need no reload.
 */
export function useQuery<Result>(key: string, load: () => Promise<Result>): Loaded<Result> {
  const [loaded, setLoaded] = useState<Loaded<Result> & { key: string }>({ key });
  const latest = useRef(load);
  useEffect(() => {
    latest.current = load;
  });
  useEffect(() => {
    const ended = new AbortController();
    void retrying(() => latest.current(), ended.signal).then(
      (data) => !ended.signal.aborted && setLoaded({ key, data }),
      (error: Error) => !ended.signal.aborted && setLoaded({ key, error }),
    );
    return () => ended.abort();
  }, [key]);
  return loaded.key === key ? loaded : {};
}

/** Runs `load` until it succeeds, fails for good, or is not wanted any more. */
export async function retrying<Result>(load: () => Promise<Result>, ended: AbortSignal): Promise<Result> {
  for (;;) {
    try {
      return await load();
    } catch (error) {
      if (ended.aborted || !(error instanceof RequestError && error.passing)) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
      if (ended.aborted) throw error;
    }
  }
}
