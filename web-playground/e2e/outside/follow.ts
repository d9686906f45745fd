// An example of another project: creates an instance and prints each of its events once until it is deleted, even if the server
// restarts in between. It uses the generated types and the resume helper, and nothing else of the playground.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { CreateInstanceDocument, type CreateInstanceMutation, EventsDocument, type EventsSubscription } from '../../src/gql/graphql.ts';
import { subscribeResumable } from '../../src/live/resume.ts';

const [url = 'http://127.0.0.1:8080', name = 'outside'] = process.argv.slice(2);

const response = await fetch(`${url}/graphql`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ query: CreateInstanceDocument.toString(), variables: { input: { name, storageGb: 1 } } }),
});
const { data } = (await response.json()) as { data: CreateInstanceMutation };
const instanceId = data.createInstance.instance?.id;
if (!instanceId) throw new Error(JSON.stringify(data.createInstance.userErrors));
console.log(instanceId);

const stop = subscribeResumable<EventsSubscription, EventsSubscription['instanceEvents']>({
  client: createClient({ url: `${url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0 }),
  query: EventsDocument.toString(),
  variables: { instanceId },
  after: '0',
  next: (event) => {
    console.log(JSON.stringify(event));
    if (event.type === 'STATE_CHANGED' && event.to === 'DELETED') stop();
  },
  reset: () => console.log('reset'),
  error: (error) => {
    throw error;
  },
});
