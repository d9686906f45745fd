// This file depends on graphql-ws only, so that other projects can copy it: see the README.
import { type Client, CloseCode, type ExecutionResult } from 'graphql-ws';

/** The fields from which a stream is resumed. Latest-value streams have no cursor and start again with the current value. */
export interface CursorItem {
  cursor?: string;
  type?: string;
}

export interface Resumable<Data, Item extends CursorItem> {
  /** Created with `retryAttempts: 0`, because this function retries. */
  client: Client;
  /**
   * A subscription with one root field. For a stream with cursors it selects `cursor`, selects `type` if there are snapshots,
   * and has a variable `$after`.
   */
  query: string;
  operationName?: string;
  /** All variables but `after`. */
  variables?: Record<string, unknown>;
  /** The cursor to resume from, saved by an earlier run. */
  after?: string | null;
  /** Every item exactly once, in order. */
  next(item: Item, data: Data): void;
  /** The stream starts over: everything that was received is replaced by what follows. */
  reset(): void;
  /** The end: the request is invalid or was rejected, so a retry cannot succeed. */
  error(error: Error): void;
  /** The end: the server has completed the subscription. */
  complete?(): void;
  /** For an indicator: `waiting` with the cause before a retry, `asking` during a retry, `live` when items arrive. */
  status?(status: 'asking' | 'live' | 'waiting', cause?: Error): void;
}

/** The longest pause between two attempts; the first is about a quarter of a second. */
const MAX_DELAY_MS = 15_000;

/** Errors of the server, not of the request: retry from the cursor. */
const TRANSIENT_ERRORS = new Set(['INTERNAL', 'UNAVAILABLE', 'SLOW_CONSUMER']);

/** Close codes that report an error of the client, so the same request would fail again. */
const FINAL_CLOSES = new Set<number>([
  CloseCode.BadRequest,
  CloseCode.Unauthorized,
  CloseCode.Forbidden,
  CloseCode.SubprotocolNotAcceptable,
  CloseCode.SubscriberAlreadyExists,
  CloseCode.TooManyInitialisationRequests,
]);

/**
 * Subscribes to a stream whose items have a cursor. When the connection is lost it subscribes again `after` the last cursor, with
 * back-off and jitter, so that each item is delivered exactly once.
 *
 * In two cases it calls `reset` and starts over: the server no longer keeps the cursor (`MUST_REFETCH`), or the connection was lost
 * within a snapshot, which cannot be resumed.
 *
 * Returns the function that unsubscribes. No callback is called after that.
 */
export function subscribeResumable<Data, Item extends CursorItem>(options: Resumable<Data, Item>): () => void {
  const { client, query, operationName, variables } = options;
  let cursor = options.after ?? undefined;
  let inSnapshot = false;
  let failures = 0;
  let live = false;
  let ended = false;
  let unsubscribe = () => {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  let attempt = 0;
  /** Whether it waits for the connection, so that it retries at once when another stream has reconnected. */
  let lost = false;

  function start(): void {
    // The `reset` callback may have unsubscribed.
    if (ended) return;
    clearTimeout(timer);
    timer = undefined;
    if (failures) options.status?.('asking');
    const mine = ++attempt;
    // Ignores what an earlier attempt still delivers, because the current one delivers it again, and everything after the end.
    const current = (handle: () => void) => {
      if (!ended && mine === attempt) handle();
    };
    unsubscribe = client.subscribe<Data>(
      {
        query,
        operationName,
        // Evaluated for each request: graphql-ws repeats the request after a close with code 1000, even without retries.
        get variables() {
          if (inSnapshot) restart();
          return { ...variables, after: cursor ?? null };
        },
      },
      {
        next: (result) => current(() => receive(result as ExecutionResult<Data>)),
        error: (cause) => current(() => fail(cause)),
        complete: () =>
          current(() => {
            stop();
            options.complete?.();
          }),
      },
    );
  }

  function receive({ data, errors }: ExecutionResult<Data>): void {
    if (errors?.length) return fail(errors);
    const item = data && (Object.values(data)[0] as Item | undefined);
    if (!item) return;
    if (!live) options.status?.('live');
    live = true;
    failures = 0;
    inSnapshot = item.type === 'SNAPSHOT';
    options.next(item, data);
    // After the callback: an item whose callback threw is not delivered.
    if (!inSnapshot) cursor = item.cursor;
  }

  function fail(cause: unknown): void {
    attempt++;
    unsubscribe();
    const mustRefetch = hasCode(cause, (code) => code === 'MUST_REFETCH');
    if (!mustRefetch && isFinal(cause)) {
      stop();
      return options.error(toError(cause));
    }
    live = false;
    lost = isClose(cause) || cause instanceof Event;
    options.status?.('waiting', toError(cause));
    // Only the first refetch is immediate, so that a server that keeps asking for it is not flooded.
    const now = mustRefetch && failures === 0;
    if (mustRefetch) restart();
    if (ended) return;
    timer = setTimeout(start, now ? 0 : delay(failures));
    failures++;
  }

  function restart(): void {
    cursor = undefined;
    inSnapshot = false;
    options.reset();
  }

  function stop(): void {
    ended = true;
    clearTimeout(timer);
    unsubscribe();
    unwatch();
  }

  const unwatch = client.on('connected', () => {
    if (lost && timer !== undefined) start();
  });
  start();
  return stop;
}

/** Exponential with jitter in its upper half, so that many pages do not reconnect to a restarted server at the same time. */
function delay(failures: number): number {
  return Math.min(MAX_DELAY_MS, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
}

function isFinal(cause: unknown): boolean {
  if (isClose(cause)) return FINAL_CLOSES.has(cause.code);
  return Array.isArray(cause) && !hasCode(cause, (code) => TRANSIENT_ERRORS.has(code));
}

/** graphql-ws reports GraphQL errors (an array), close events and exceptions through the same callback. */
export function toError(cause: unknown): Error {
  if (cause instanceof Error) return cause;
  if (Array.isArray(cause)) return new Error(cause.map((error: { message: string }) => error.message).join('; '), { cause });
  if (isClose(cause)) return new Error(`The connection closed (${cause.code}${cause.reason && `, ${cause.reason}`}).`, { cause });
  return new Error('The connection failed.', { cause });
}

export function isClose(cause: unknown): cause is { code: number; reason: string } {
  return typeof cause === 'object' && cause !== null && 'code' in cause && 'reason' in cause;
}

/** Whether the cause is GraphQL errors of which one has a matching code. */
export function hasCode(cause: unknown, matches: (code: string) => boolean): boolean {
  if (!Array.isArray(cause)) return false;
  return cause.some(({ extensions }: { extensions?: { code?: unknown } }) => matches(String(extensions?.code)));
}
