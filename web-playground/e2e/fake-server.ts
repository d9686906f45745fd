import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { json } from 'node:stream/consumers';
import { join } from 'node:path';
import { buildSchema, defaultFieldResolver, execute, type GraphQLFieldResolver, type GraphQLOutputType, isEnumType, isListType, isNonNullType, isScalarType, parse, subscribe } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

const DIST = join(import.meta.dirname, '../dist');
const STATES = ['RUNNING', 'RUNNING', 'RUNNING', 'UPDATING', 'FAILED'];
const HEALTHS = ['HEALTHY', 'HEALTHY', 'HEALTHY', 'UNHEALTHY', 'UNKNOWN'];
const TYPES: Record<string, string> = { html: 'text/html', js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' };

/** What a fake server answers besides the list: the values or functions of root fields, and the only item of subscriptions, or a function that generates all. */
interface Answers {
  fields?: Record<string, unknown>;
  subscriptions?: Record<string, unknown>;
  /** What the first instances of the list have. */
  instances?: readonly object[];
}

/**
 * A fake server with more instances than a test machine can run: the list, with changes at a constant rate (0 at first). What `answers` leaves
 * out of other objects is null, empty or the first value.
 */
export async function startFakeServer(count: number, { fields = {}, subscriptions = {}, instances: particular = [] }: Answers = {}): Promise<{ url: string; change: (perSecond: number) => void; sent: () => number; stop: () => void }> {
  const schema = buildSchema(readFileSync(join(import.meta.dirname, '../../schema.graphql'), 'utf8'));
  const instances = Array.from({ length: count }, (_, index) => ({ ...instance(index), ...particular[index] }));
  let cursor = 0;
  let stopped = false;
  let rate = { perSecond: 0, since: Date.now() };

  async function* changes() {
    for (const instance of instances) yield { instances: { type: 'SNAPSHOT', cursor: 'snapshot', instanceId: instance.id, instance } };
    yield { instances: { type: 'SNAPSHOT_COMPLETE', cursor: String(cursor), instance: null } };
    let current = rate;
    for (let sent = 0; !stopped; ) {
      if (current !== rate) [current, sent] = [rate, 0];
      for (; sent < ((Date.now() - current.since) / 1000) * current.perSecond; sent++) {
        const index = Math.floor(Math.random() * count);
        const changed = { ...instance(index), createdAt: instances[index]?.createdAt, state: pick(STATES), health: pick(HEALTHS) };
        yield { instances: { type: 'UPSERTED', cursor: String(++cursor), instanceId: changed.id, instance: changed } };
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async function* only(name: string, variables: Record<string, unknown>) {
    const items = subscriptions[name];
    if (typeof items === 'function') {
      for await (const item of items(variables) as AsyncIterable<unknown>) yield { [name]: item };
    } else if (name in subscriptions) {
      yield { [name]: items };
    }
    await new Promise(() => undefined);
  }

  const http: Server = createServer((request, response) => {
    if (request.method === 'POST') {
      void answer(request).then((body) => response.setHeader('content-type', 'application/graphql-response+json').end(body));
      return;
    }
    const path = request.url?.startsWith('/assets/') || request.url === '/favicon.svg' ? request.url : '/index.html';
    response.setHeader('content-type', TYPES[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream');
    // The build keeps large files in compressed forms only.
    const compressed = existsSync(`${DIST}${path}.gz`);
    if (compressed) response.setHeader('content-encoding', 'gzip');
    response.end(readFileSync(DIST + path + (compressed ? '.gz' : '')));
  });
  async function answer(request: IncomingMessage): Promise<string> {
    const { query, variables } = (await json(request)) as { query: string; variables?: Record<string, unknown> };
    return JSON.stringify(await execute({ schema, document: parse(query), rootValue: fields, variableValues: variables, fieldResolver }));
  }

  const sockets = new WebSocketServer({ server: http, path: '/graphql' });
  const names = Object.keys(schema.getSubscriptionType()?.getFields() ?? {});
  const roots = { subscription: { ...Object.fromEntries(names.map((name) => [name, (variables: Record<string, unknown>) => only(name, variables)])), instances: changes } };
  useServer({ schema, roots, subscribe: (args) => subscribe({ ...args, fieldResolver }) }, sockets);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const address = http.address();
  if (!address || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    change: (perSecond) => {
      rate = { perSecond, since: Date.now() };
    },
    sent: () => cursor,
    stop: () => {
      stopped = true;
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      http.close();
    },
  };
}

/** What the list has of an instance. */
export function instance(index: number) {
  return {
    id: `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`,
    name: `instance-${String(index).padStart(4, '0')}`,
    state: 'RUNNING',
    health: 'HEALTHY',
    reason: null,
    notices: [],
    endpoint: { host: '127.0.0.1', port: 20_000 + index },
    postgresVersion: String(15 + (index % 4)),
    storageGb: 10 + (index % 90),
    cpuMillis: 500,
    memoryMb: 512,
    labels: [{ key: 'team', value: ['shop', 'finance', 'search'][index % 3] }],
    createdAt: new Date(Date.now() - index * 60_000).toISOString(),
  };
}

function pick<Value>(values: readonly Value[]): Value | undefined {
  return values[Math.floor(Math.random() * values.length)];
}

const fieldResolver: GraphQLFieldResolver<unknown, unknown> = (source, args, context, info) => {
  const value: unknown = defaultFieldResolver(source, args, context, info);
  return value === undefined ? defaultOf(info.returnType) : value;
};

function defaultOf(type: GraphQLOutputType): unknown {
  if (!isNonNullType(type)) return null;
  const { ofType } = type;
  if (isListType(ofType)) return [];
  if (isEnumType(ofType)) return ofType.getValues()[0]?.name;
  if (!isScalarType(ofType)) return {};
  switch (ofType.name) {
    case 'Int':
    case 'Float':
    case 'BigInt':
      return 0;
    case 'Boolean':
      return false;
    case 'DateTime':
      return new Date().toISOString();
    default:
      return '';
  }
}
