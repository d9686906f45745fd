import { graphql } from '../gql';
import { request } from '../lib/request';

export async function fetchConnectionString(id: string): Promise<string> {
  const { instance } = await request(CONNECTION_STRING, { id });
  if (!instance?.connectionString) throw new Error('The server does not give the connection string: it may need another access token.');
  return instance.connectionString;
}

const CONNECTION_STRING = graphql(`
  query ConnectionString($id: ID!) {
    instance(id: $id) {
      connectionString
    }
  }
`);
