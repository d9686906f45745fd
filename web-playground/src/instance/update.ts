import { graphql } from '../gql';
import type { UpdateInstanceInput } from '../gql/graphql';
import { request } from '../lib/request';

/** Changes labels or protection; the page then shows it by its subscription. */
export async function updateInstance(input: UpdateInstanceInput): Promise<void> {
  const { userErrors } = (await request(UPDATE, { input })).updateInstance;
  if (userErrors.length) throw new Error(userErrors.map(({ message }) => message).join(' '));
}

const UPDATE = graphql(`
  mutation UpdateInstance($input: UpdateInstanceInput!) {
    updateInstance(input: $input) {
      userErrors {
        message
      }
    }
  }
`);
