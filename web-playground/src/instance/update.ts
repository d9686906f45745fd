import { graphql } from '../gql';
import { useMutate } from '../lib/use-mutate';

/** Changes labels, deletion protection, when an idle instance is suspended or whether TLS is required; the page shows the result through its subscription. */
export function useUpdateInstance(onSuccess?: () => void) {
  return useMutate(UPDATE, { onSuccess });
}

const UPDATE = graphql(`
  mutation UpdateInstance($input: UpdateInstanceInput!) {
    updateInstance(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);
