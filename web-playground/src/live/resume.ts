// This file needs nothing but graphql-ws, so that other projects can take it as it is: see the README.
import { type Client, CloseCode, type ExecutionResult } from 'graphql-ws';

/** What an item carries that a stream can be resumed behind; latest-value streams have no cursors and just start again. */
export interface CursorItem {
  cursor?: string;
  type?: string;
}

export interface Resumable<Data, Item extends CursorItem> {
  /** Its own retries should be off (`retryAttempts: 0`), for this function retries. */
  client: Client;
  /**
   * A subscription with one root field. Of streams with cursors select `cursor` and, where there are snapshots, `type`, and
   * give it a variable `$after`.
   */
  query: string;
  operationName?: string;
  /** All variables but `after`. */
  variables?: Record<string, unknown>;
  /** Where to begin: the cursor kept from an earlier run. */
  after?: string | null;
  /** Every item exactly once, in order. */
  next(item: Item, data: Data): void;
  /** The stream starts again from nothing: what was received is superseded by what follows. */
  reset(): void;
  /** The end: a mistake in the request, or a refusal, that trying again cannot heal. */
  error(error: Error): void;
  /** The end: the server has completed the subscription. */
  complete?(): void;
  /** For an indicator: `waiting` with the cause while the stream is away, `asking` when it tries again, `live` once items flow. */
  status?(status: 'asking' | 'live' | 'waiting', cause?: Error): void;
}

/** The longest pause between two attempts; the first is about a quarter of a second. */
const MAX_DELAY_MS = 15_000;

/** The server's fault or its wish, not the request's: go on from the cursor. */
const PASSING_ERRORS = new Set(['INTERNAL', 'UNAVAILABLE', 'SLOW_CONSUMER']);

/** Close codes that say the client itself is at fault, so the same request would only fail again. */
const FINAL_CLOSES = new Set<number>([
  CloseCode.BadRequest,
  CloseCode.Unauthorized,
  CloseCode.Forbidden,
  CloseCode.SubprotocolNotAcceptable,
  CloseCode.SubscriberAlreadyExists,
  CloseCode.TooManyInitialisationRequests,
]);

/**
 * Subscribes to a stream whose items carry a cursor, and keeps it alive: when the connection is lost it subscribes again
 * `after` the last cursor, with back-off and jitter, so that nothing is missed and nothing comes twice.
 *
 * Two cases start from nothing, and then the caller is told to `reset` first: the server no longer keeps the cursor
 * (`MUST_REFETCH`), and a connection lost amid a snapshot, for half a snapshot cannot be continued.
 *
 * Returns the function that ends it. Nothing is called after that.
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
  /** Whether the pause is for the connection's sake, so that it is over when another stream brings the connection back. */
  let lost = false;

  function start(): void {
    // A handler of `reset` may have ended it.
    if (ended) return;
    clearTimeout(timer);
    timer = undefined;
    if (failures) options.status?.('asking');
    const mine = ++attempt;
    // What a former attempt still delivers is the new one's to deliver, and what comes after the end is nobody's.
    const current = (handle: () => void) => {
      if (!ended && mine === attempt) handle();
    };
    unsubscribe = client.subscribe<Data>(
      {
        query,
        operationName,
        // Read each time it is sent: graphql-ws itself sends it again after a close with code 1000, retries or not.
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
    // After the delivery: an item whose handling threw is not taken for delivered.
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
    // The first refetch is immediate; a server that keeps asking for it is not to be flooded.
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

/** Exponential with jitter over its upper half, so that a thousand pages do not return to a restarted server at once. */
function delay(failures: number): number {
  return Math.min(MAX_DELAY_MS, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
}

function isFinal(cause: unknown): boolean {
  if (isClose(cause)) return FINAL_CLOSES.has(cause.code);
  return Array.isArray(cause) && !hasCode(cause, (code) => PASSING_ERRORS.has(code));
}

/** graphql-ws reports GraphQL errors (an array), close events and exceptions through one channel; this makes each readable. */
export function toError(cause: unknown): Error {
  if (cause instanceof Error) return cause;
  if (Array.isArray(cause)) return new Error(cause.map((error: { message: string }) => error.message).join('; '), { cause });
  if (isClose(cause)) return new Error(`The connection closed (${cause.code}${cause.reason && `, ${cause.reason}`}).`, { cause });
  return new Error('The connection failed.', { cause });
}

export function isClose(cause: unknown): cause is { code: number; reason: string } {
  return typeof cause === 'object' && cause !== null && 'code' in cause && 'reason' in cause;
}

/** Whether GraphQL errors are the cause and one of them has such a code. */
export function hasCode(cause: unknown, matches: (code: string) => boolean): boolean {
  if (!Array.isArray(cause)) return false;
  return cause.some(({ extensions }: { extensions?: { code?: unknown } }) => matches(String(extensions?.code)));
}
