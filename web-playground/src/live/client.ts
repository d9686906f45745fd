import { type Client, CloseCode, createClient } from 'graphql-ws';
import { serverPath } from '../lib/base-path';
import { isClose } from './resume';

const PING_EVERY_MS = 10_000;
const PONG_WITHIN_MS = 5_000;

/**
 * A graphql-ws client for `/graphql` of this host. `parameters` are sent with each `connection_init`, from which the server reads
 * `Authorization` as it does from the HTTP header.
 *
 * It never retries: graphql-ws would repeat a subscription with its first cursor. `subscribeResumable` retries instead.
 */
export function createLiveClient(parameters: () => Record<string, unknown>): Client {
  let pongDue: ReturnType<typeof setTimeout> | undefined;
  const client: Client = createClient({
    url: socketUrl(),
    connectionParams: parameters,
    retryAttempts: 0,
    // A missing pong is the only sign of a peer that is gone without a close frame (a suspended laptop, a dropped NAT entry).
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
  const url = new URL(serverPath('/graphql'), window.location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/** Whether the server requires other credentials. */
export function isRefusal(error: Error): boolean {
  return isClose(error.cause) && (error.cause.code === CloseCode.Unauthorized || error.cause.code === CloseCode.Forbidden);
}

/** Why it does. The server ends an open connection without saying that its token was revoked or has expired. */
export function refusalReason(error: Error): string {
  const reason = isClose(error.cause) ? error.cause.reason : '';
  return !reason || reason === 'Forbidden' ? 'the token has expired or was revoked' : reason;
}
