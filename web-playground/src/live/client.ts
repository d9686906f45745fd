import { type Client, CloseCode, createClient } from 'graphql-ws';

const PING_EVERY_MS = 10_000;
const PONG_WITHIN_MS = 5_000;

/**
 * A graphql-ws client for this host's `/graphql`. `parameters` go into each `connection_init`, where the server reads
 * `Authorization` as it does from the HTTP header.
 *
 * It never retries: its own retry repeats a subscription as it was first sent and so knows no cursor.
 * `subscribeResumable` retries instead.
 */
export function createLiveClient(parameters: () => Record<string, unknown>): Client {
  let pongDue: ReturnType<typeof setTimeout> | undefined;
  const client: Client = createClient({
    url: socketUrl(),
    connectionParams: parameters,
    retryAttempts: 0,
    // A peer that vanished without closing (a sleeping laptop, a dropped NAT entry) is noticed by a missing pong only.
    keepAlive: PING_EVERY_MS,
    on: {
      ping: (received) => {
        if (!received) pongDue = setTimeout(() => client.terminate(), PONG_WITHIN_MS);
      },
      pong: (received) => {
        if (received) clearTimeout(pongDue);
      },
      closed: () => clearTimeout(pongDue),
    },
  });
  return client;
}

function socketUrl(): string {
  const url = new URL('/graphql', window.location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
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

/** Whether the server wants (better) credentials. */
export function isRefusal(error: Error): boolean {
  return isClose(error.cause) && (error.cause.code === CloseCode.Unauthorized || error.cause.code === CloseCode.Forbidden);
}

/** Whether GraphQL errors are the cause and one of them has such a code. */
export function hasCode(cause: unknown, matches: (code: string) => boolean): boolean {
  if (!Array.isArray(cause)) return false;
  return cause.some(({ extensions }: { extensions?: { code?: unknown } }) => matches(String(extensions?.code)));
}
