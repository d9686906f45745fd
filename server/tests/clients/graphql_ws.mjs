// npm graphql-ws, the reference client of graphql-transport-ws.
import assert from 'node:assert/strict';
import { createClient, CloseCode } from 'graphql-ws';
import WebSocket from 'ws';
import { run } from './check.mjs';

const [url] = process.argv.slice(2);
const client = (options = {}) => createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0, ...options });

async function collect(client, payload, most = Infinity) {
  const results = [];
  for await (const result of client.iterate(payload)) {
    results.push(result);
    if (results.length >= most) break;
  }
  return results;
}

await run('graphql-ws', {
  async 'a query has one result'() {
    const c = client();
    const results = await collect(c, { query: 'query($n: String) { hello(name: $n) }', variables: { n: 'Ada' } });
    assert.deepEqual(results, [{ data: { hello: 'Hello Ada' } }]);
    await c.dispose();
  },
  async 'a mutation has one result'() {
    const c = client();
    const [result] = await collect(c, { query: 'mutation { bump }' });
    assert.equal(typeof result.data.bump, 'number');
    await c.dispose();
  },
  async 'a subscription streams and completes'() {
    const c = client();
    const results = await collect(c, { query: 'subscription { count(to: 5) }' });
    assert.deepEqual(results.map((result) => result.data.count), [0, 1, 2, 3, 4]);
    await c.dispose();
  },
  async 'several subscriptions share a socket'() {
    let opened = 0;
    const c = client({ on: { opened: () => (opened += 1) } });
    const all = await Promise.all(
      Array.from({ length: 50 }, () => collect(c, { query: 'subscription { ticks(millis: 5) }' }, 10)),
    );
    assert.ok(all.every((results) => results.length === 10));
    assert.equal(opened, 1);
    await c.dispose();
  },
  async 'a document that is not valid is an error of its operation'() {
    const c = client();
    await assert.rejects(collect(c, { query: '{ nothing }' }), (errors) => Array.isArray(errors) && errors.length === 1);
    await assert.rejects(collect(c, { query: 'subscription { broken }' }), (errors) => Array.isArray(errors));
    assert.deepEqual(await collect(c, { query: '{ hello }' }), [{ data: { hello: 'Hello world' } }]);
    await c.dispose();
  },
  async 'an error of one item is a result'() {
    const c = client();
    const results = await collect(c, { query: 'subscription { items { number } }' });
    assert.equal(results.length, 3);
    assert.equal(results[1].errors[0].message, 'One is not allowed.');
    await c.dispose();
  },
  async 'connectionParams are credentials'() {
    const c = client({ connectionParams: { authorization: 'Ada' } });
    assert.deepEqual(await collect(c, { query: '{ user }' }), [{ data: { user: 'Ada' } }]);
    await c.dispose();
  },
  async 'a denied client is closed with 4403'() {
    const c = client({ connectionParams: { authorization: 'wrong' } });
    await assert.rejects(collect(c, { query: '{ user }' }), { code: CloseCode.Forbidden });
    await c.dispose();
  },
  async 'the client pings, the server answers'() {
    let pongs = 0;
    const c = client({ keepAlive: 20, lazy: false, on: { pong: (received) => (pongs += received ? 1 : 0) } });
    await collect(c, { query: 'subscription { ticks(millis: 20) }' }, 10);
    assert.ok(pongs >= 2, `${pongs}`);
    await c.dispose();
  },
  async 'unsubscribing ends one operation, not the socket'() {
    let closed = 0;
    const c = client({ lazy: false, on: { closed: () => (closed += 1) } });
    await collect(c, { query: 'subscription { ticks(millis: 1) }' }, 3);
    assert.deepEqual(await collect(c, { query: '{ hello }' }), [{ data: { hello: 'Hello world' } }]);
    assert.equal(closed, 0);
    await c.dispose();
  },
});
