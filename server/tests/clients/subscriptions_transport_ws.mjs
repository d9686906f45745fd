// npm subscriptions-transport-ws, the reference client of the older graphql-ws subprotocol.
import assert from 'node:assert/strict';
import { SubscriptionClient } from 'subscriptions-transport-ws';
import WebSocket from 'ws';
import { run } from './check.mjs';

const [url] = process.argv.slice(2);
const client = (connectionParams = {}) =>
  new SubscriptionClient(url, { reconnect: false, connectionParams }, WebSocket);

function collect(client, request, most = Infinity) {
  return new Promise((resolve, reject) => {
    const results = [];
    const { unsubscribe } = client.request(request).subscribe({
      next(result) {
        results.push(result);
        if (results.length >= most) {
          unsubscribe();
          resolve(results);
        }
      },
      error: reject,
      complete: () => resolve(results),
    });
  });
}

await run('subscriptions-transport-ws', {
  async 'a query has one result'() {
    const c = client({ authorization: 'Ada' });
    assert.deepEqual(await collect(c, { query: '{ user }' }), [{ data: { user: 'Ada' } }]);
    c.close();
  },
  async 'a subscription streams and completes'() {
    const c = client();
    const results = await collect(c, { query: 'subscription { count(to: 3) }' });
    assert.deepEqual(results.map((result) => result.data.count), [0, 1, 2]);
    c.close();
  },
  async 'unsubscribing ends one operation'() {
    const c = client();
    assert.equal((await collect(c, { query: 'subscription { ticks(millis: 1) }' }, 3)).length, 3);
    assert.equal((await collect(c, { query: '{ hello }' })).length, 1);
    c.close();
  },
  async 'a document that is not valid is an error'() {
    const c = client();
    await assert.rejects(collect(c, { query: '{ nothing }' }));
    c.close();
  },
  async 'a denied client hears why'() {
    const error = await new Promise((resolve) => {
      const connectionParams = { authorization: 'wrong' };
      new SubscriptionClient(url, { reconnect: false, connectionParams, connectionCallback: resolve }, WebSocket);
    });
    assert.match(error.message, /token is not known/);
  },
});
