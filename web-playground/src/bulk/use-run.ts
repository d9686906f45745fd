import { useEffect, useRef, useState } from 'react';
import { sentenceCase } from '../lib/label';
import { pool } from '../lib/pool';
import type { Outcome } from './outcome';
import { WIDTH } from './targets';

export interface Run {
  outcomes: ReadonlyMap<string, Outcome>;
  /** Whether there are requests that are not answered yet. */
  sending: boolean;
  /** Sends the request of each instance, also again. Those that fail do not stop the others. */
  start: (ids: readonly string[], send: (id: string) => Promise<Outcome>) => void;
  /** What was not sent yet is left alone. */
  stop: () => void;
}

/** Does the same to several instances; `onAccepted` is told of each that the server has accepted. It stops with the component. */
export function useRun(onAccepted: (id: string) => void): Run {
  const [outcomes, setOutcomes] = useState<ReadonlyMap<string, Outcome>>(new Map());
  const [sending, setSending] = useState(false);
  const abort = useRef<AbortController>(undefined);
  useEffect(() => () => abort.current?.abort(), []);
  const set = (id: string, outcome: Outcome) => setOutcomes((all) => new Map(all).set(id, outcome));

  async function run(ids: readonly string[], send: (id: string) => Promise<Outcome>, { signal }: AbortController): Promise<void> {
    setSending(true);
    for (const id of ids) set(id, { is: 'WAITING' });
    await pool(
      ids,
      WIDTH,
      async (id) => {
        set(id, { is: 'SENDING' });
        const outcome = await send(id).catch((error: Error): Outcome => ({ is: 'REFUSED', message: sentenceCase(error.message) }));
        set(id, outcome);
        if (outcome.is !== 'REFUSED') onAccepted(id);
      },
      signal,
    );
    setOutcomes((all) => new Map([...all].map(([id, outcome]) => [id, outcome.is === 'WAITING' ? { is: 'SKIPPED' } : outcome])));
    setSending(false);
  }

  return {
    outcomes,
    sending,
    start: (ids, send) => {
      abort.current = new AbortController();
      void run(ids, send, abort.current);
    },
    stop: () => abort.current?.abort(),
  };
}
