import { graphql } from '../gql';
import { request } from '../lib/request';

/** Not a cached query: the password is in it. */
export async function fetchConnectionString(id: string): Promise<string> {
  const { instance } = await request(CONNECTION_STRING, { id });
  if (!instance?.connectionString) throw new Error('The server returned no connection string. It may require an API token with another role.');
  return instance.connectionString;
}

const CONNECTION_STRING = graphql(`
  query ConnectionString($id: ID!) {
    instance(id: $id) {
      connectionString
    }
  }
`);
