// PostGraphile on the metadata database, with one subscription that forwards the payload of a notification: its fastest method.
// Prints its port when it is ready.
import { createServer } from 'node:http';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { jsonParse } from 'postgraphile/@dataplan/json';
import { constant, context, get, listen } from 'postgraphile/grafast';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { extendSchema } from 'postgraphile/utils';

const server = createServer();
const peer = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString: process.env.DATABASE_URL, schemas: ['peer'], pubsub: true })],
  grafast: { explain: false },
  grafserv: { websockets: true, graphiql: false, watch: false },
  plugins: [
    extendSchema(() => ({
      typeDefs: /* GraphQL */ `
        type Change {
          cursor: String
          type: String
          instance: ChangedInstance
        }
        type ChangedInstance {
          id: String
          state: String
          health: String
        }
        extend type Subscription {
          instanceChanges: Change
        }
      `,
      plans: {
        Subscription: {
          instanceChanges: {
            subscribePlan: () => listen(context().get('pgSubscriber'), constant('peer_changes'), jsonParse),
            plan: ($change) => $change,
          },
        },
        Change: {
          cursor: ($change) => get($change, 'cursor'),
          type: ($change) => get($change, 'type'),
          instance: ($change) => get($change, 'instance'),
        },
        ChangedInstance: {
          id: ($instance) => get($instance, 'id'),
          state: ($instance) => get($instance, 'state'),
          health: ($instance) => get($instance, 'health'),
        },
      },
    })),
  ],
});
await peer.createServ(grafserv).addTo(server);
await peer.getSchema();
server.listen(0, '127.0.0.1', 4096, () => console.log(server.address().port));
