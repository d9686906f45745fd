import { useEffect, useRef, useState } from 'react';
import { sentenceCase } from '../lib/label';
import { perFrame } from '../lib/per-frame';
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
  const all = useRef(new Map<string, Outcome>());
  const [frame] = useState(() => perFrame(() => setOutcomes(new Map(all.current))));
  useEffect(
    () => () => {
      abort.current?.abort();
      frame.cancel();
    },
    [frame],
  );

  function set(id: string, outcome: Outcome): void {
    all.current.set(id, outcome);
    frame.schedule();
  }

  async function run(ids: readonly string[], send: (id: string) => Promise<Outcome>, { signal }: AbortController): Promise<void> {
    setSending(true);
    for (const id of ids) set(id, { is: 'WAITING' });
    const sendOne = async (id: string) => {
      set(id, { is: 'SENDING' });
      const outcome = await send(id).catch((error: Error): Outcome => ({ is: 'REFUSED', message: sentenceCase(error.message) }));
      set(id, outcome);
      if (outcome.is !== 'REFUSED') onAccepted(id);
    };
    await pool(ids, WIDTH, sendOne, signal);
    for (const id of ids) if (all.current.get(id)?.is === 'WAITING') set(id, { is: 'SKIPPED' });
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
