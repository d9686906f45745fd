import { access, authorization, refuse } from '../access/token';
import { createLiveClient, isRefusal, refusalReason } from './client';
import { type CursorItem, type Resumable, subscribeResumable } from './resume';
import { connection } from './state';

/** One socket for all subscriptions of the page. */
const client = createLiveClient(authorization);

/** A stream that fails right after each attempt must not make the indicator flicker. */
const SETTLED_AFTER_MS = 300;

const waiting = new Map<symbol, Error>();
const refused = new Set<symbol>();
let connected = false;
let settling: ReturnType<typeof setTimeout> | undefined;

/** Subscribes until the returned function is called, across lost connections; see `subscribeResumable`. */
export function follow<Data, Item extends CursorItem>(options: Omit<Resumable<Data, Item>, 'client' | 'status'>): () => void {
  const stream = Symbol();
  const stop = subscribeResumable<Data, Item>({
    ...options,
    client,
    status: (status, cause) => {
      if (status === 'waiting' && cause) waiting.set(stream, cause);
      else waiting.delete(stream);
      update();
    },
    error: (error) => {
      waiting.delete(stream);
      if (isRefusal(error)) {
        refused.add(stream);
        refuse(refusalReason(error));
      }
      update();
      options.error(error);
    },
  });
  return () => {
    stop();
    waiting.delete(stream);
    refused.delete(stream);
    update();
  };
}

client.on('connected', () => {
  connected = true;
  update();
});
client.on('closed', () => {
  connected = false;
  update();
});

// The token is sent only when a connection is opened.
let { logins } = access.get();
access.subscribe(() => {
  if (access.get().logins === logins) return;
  logins = access.get().logins;
  client.terminate();
});

function update(): void {
  clearTimeout(settling);
  const [cause] = waiting.values();
  if (refused.size) connection.set({ state: 'refused' });
  else if (cause) connection.set({ state: 'lost', cause: cause.message });
  else if (connected) settling = setTimeout(() => connection.set({ state: 'live' }), connection.get().state === 'lost' ? SETTLED_AFTER_MS : 0);
}
