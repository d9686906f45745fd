import { type AddressInfo } from 'node:net';
import { buildSchema, GraphQLError } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { subscribeResumable } from './resume';

type Item = { cursor: string; type: string };
type Data = { items: Item };

const query = 'subscription ($after: String) { items(after: $after) { cursor type } }';
const schema = buildSchema(`
  type Query { none: Int }
  type Item { cursor: String! type: String! }
  type Subscription { items(after: String): Item! }
`);

/** A growing log of numbers, served by a real server whose connections the tests close. */
let wss: WebSocketServer;
let client: Client;
let head: number;
let oldest: number;
let asked: (string | null)[];
let growing: ReturnType<typeof setInterval>;
let snapshotPause: Promise<void> | undefined;

async function* items({ after = null }: { after?: string | null }): AsyncGenerator<Data> {
  asked.push(after);
  if (after !== null && Number(after) < oldest) {
    throw new GraphQLError('The cursor is too old.', { extensions: { code: 'MUST_REFETCH' } });
  }
  let at = after === null ? head : Number(after);
  if (after === null) {
    for (let row = 1; row <= 3; row++) {
      yield { items: { type: 'SNAPSHOT', cursor: String(at) } };
      if (row === 2) await snapshotPause;
    }
    yield { items: { type: 'SNAPSHOT_COMPLETE', cursor: String(at) } };
  }
  for (;;) {
    while (at < head) yield { items: { type: 'UPSERTED', cursor: String(++at) } };
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function cut(code?: number): void {
  for (const socket of wss.clients) code ? socket.close(code) : socket.terminate();
}

/** The received items and resets until `done` returns true. */
function collect(done: (seen: string[]) => boolean, after?: string): Promise<string[]> {
  const seen: string[] = [];
  return new Promise((resolve, reject) => {
    const finish = () => {
      if (!done(seen)) return;
      stop();
      resolve(seen);
    };
    const stop = subscribeResumable<Data, Item>({
      client,
      query,
      after,
      next: (item) => {
        seen.push(item.type === 'UPSERTED' ? item.cursor : item.type);
        finish();
      },
      reset: () => seen.push('reset'),
      error: reject,
    });
  });
}

const upsertedFrom = (first: number, count: number) => Array.from({ length: count }, (_, index) => String(first + index));
const snapshot = ['SNAPSHOT', 'SNAPSHOT', 'SNAPSHOT', 'SNAPSHOT_COMPLETE'];

beforeEach(async () => {
  [head, oldest, asked, snapshotPause] = [100, 0, [], undefined];
  growing = setInterval(() => head++, 2);
  wss = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/graphql' });
  useServer({ schema, roots: { subscription: { items } } }, wss);
  await new Promise((resolve) => wss.once('listening', resolve));
  const { port } = wss.address() as AddressInfo;
  client = createClient({ url: `ws://127.0.0.1:${port}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0 });
});

afterEach(async () => {
  clearInterval(growing);
  await client.dispose();
  cut();
  wss.close();
});

test.each([undefined, 1000, 1012, 4500])('delivers each item exactly once across connections closed with %s', async (code) => {
  const cutter = setInterval(() => cut(code), 400);
  const seen = await collect((seen) => seen.length > 600 && asked.length > 2, '100');
  clearInterval(cutter);
  expect(seen).toEqual(upsertedFrom(101, seen.length));
});

test('starts over when the connection is lost within a snapshot', async () => {
  snapshotPause = new Promise(() => {});
  setTimeout(() => {
    snapshotPause = undefined;
    cut();
  }, 100);
  const seen = await collect((seen) => seen.length > 20);
  const first = Number(seen[7]);
  expect(seen).toEqual(['SNAPSHOT', 'SNAPSHOT', 'reset', ...snapshot, ...upsertedFrom(first, seen.length - 7)]);
  expect(asked).toEqual([null, null]);
});

test('starts over when the cursor is too old', async () => {
  oldest = 50;
  const seen = await collect((seen) => seen.length > 5, '7');
  expect(seen.slice(0, 5)).toEqual(['reset', ...snapshot]);
  expect(asked).toEqual(['7', null]);
});

test('a stream without cursors starts again with the current value', async () => {
  const stop = new AbortController();
  const asked = vi.fn();
  const received = new Promise<void>((resolve) => {
    const end = subscribeResumable<object, { type: string }>({
      client,
      query: 'subscription { items { type } }',
      next: () => {
        asked();
        if (asked.mock.calls.length > 8) resolve();
        else if (asked.mock.calls.length === 4) cut();
      },
      reset: () => {},
      error: (error) => expect.unreachable(error.message),
    });
    stop.signal.addEventListener('abort', end);
  });
  await received;
  stop.abort();
});

test('a stream retries as soon as another has reconnected', async () => {
  const statuses: string[] = [];
  const stop = subscribeResumable<Data, Item>({
    client,
    query,
    after: '100',
    next: () => {},
    reset: () => {},
    error: (error) => expect.unreachable(error.message),
    status: (status) => statuses.push(status),
  });
  await vi.waitFor(() => expect(statuses).toEqual(['live']));
  cut();
  await vi.waitFor(() => expect(statuses).toEqual(['live', 'waiting']), { interval: 5 });
  const whenConnected = new Promise<string[]>((resolve) => client.on('connected', () => resolve([...statuses])));
  const another = client.subscribe({ query }, { next: () => {}, error: () => {}, complete: () => {} });
  expect(await whenConnected).toEqual(['live', 'waiting', 'asking']);
  another();
  stop();
});

test('a stream that is unsubscribed during a reset stays unsubscribed', async () => {
  oldest = 50;
  const stop = subscribeResumable<Data, Item>({
    client,
    query,
    after: '7',
    next: () => expect.unreachable(),
    reset: () => stop(),
    error: () => expect.unreachable(),
  });
  await vi.waitFor(() => expect(asked).toEqual(['7']));
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(asked).toEqual(['7']);
});

test.each([4400, 4401, 4403])('ends with an error when the server rejects it with %s', async (code) => {
  setTimeout(() => cut(code), 50);
  await expect(collect(() => false, '100')).rejects.toThrow(String(code));
});
