// npm graphql-sse in its distinct connections mode, and a plain EventSource.
import assert from 'node:assert/strict';
import { createClient } from 'graphql-sse';
import { EventSource } from 'eventsource';
import { run } from './check.mjs';

const [url] = process.argv.slice(2);
const client = (options = {}) => createClient({ url, singleConnection: false, retryAttempts: 0, ...options });

async function collect(client, payload, most = Infinity) {
  const results = [];
  for await (const result of client.iterate(payload)) {
    results.push(result);
    if (results.length >= most) break;
  }
  return results;
}

await run('graphql-sse', {
  async 'a query has one result'() {
    const results = await collect(client(), { query: 'query($n: String) { hello(name: $n) }', variables: { n: 'Ada' } });
    assert.deepEqual(results, [{ data: { hello: 'Hello Ada' } }]);
  },
  async 'a subscription streams and completes'() {
    const results = await collect(client(), { query: 'subscription { count(to: 5) }' });
    assert.deepEqual(results.map((result) => result.data.count), [0, 1, 2, 3, 4]);
  },
  async 'leaving early ends the stream'() {
    assert.equal((await collect(client(), { query: 'subscription { ticks(millis: 1) }' }, 3)).length, 3);
  },
  async 'a document that is not valid is a result with errors'() {
    const [result] = await collect(client(), { query: '{ nothing }' });
    assert.equal(result.errors.length, 1);
  },
  async 'an error of one item is a result'() {
    const results = await collect(client(), { query: 'subscription { items { number } }' });
    assert.equal(results.length, 3);
    assert.equal(results[1].errors[0].message, 'One is not allowed.');
  },
  async 'headers are credentials'() {
    const results = await collect(client({ headers: { authorization: 'Ada' } }), { query: '{ user }' });
    assert.deepEqual(results, [{ data: { user: 'Ada' } }]);
  },
  async 'a denied client gets 401'() {
    const denied = collect(client({ headers: { authorization: 'wrong' } }), { query: '{ user }' });
    await assert.rejects(denied, (error) => error.response.status === 401);
  },
  async 'EventSource gets next and complete, and resumes after the last id'() {
    const source = new EventSource(`${url}?query=${encodeURIComponent('subscription { events { cursor } }')}`);
    const seen = [];
    await new Promise((resolve) => {
      let completed = 0;
      source.addEventListener('next', (event) => {
        seen.push([event.lastEventId, JSON.parse(event.data).data.events.cursor]);
      });
      // The server ends the stream; EventSource connects again by itself, with the last id, and gets what follows.
      source.addEventListener('complete', (event) => {
        assert.equal(event.data, '');
        completed += 1;
        if (completed === 2) {
          source.close();
          resolve();
        }
      });
    });
    assert.deepEqual(seen, ['1', '2', '3', '4', '5', '6'].map((id) => [id, id]));
  },
});
