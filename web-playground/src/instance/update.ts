import { graphql } from '../gql';
import { useMutate } from '../lib/use-mutate';

/** Changes what needs no operation; the page shows the result through its subscription. */
export function useUpdateInstance(onSuccess?: () => void) {
  return useMutate(UPDATE_INSTANCE, { onSuccess });
}

export const UPDATE_INSTANCE = graphql(`
  mutation UpdateInstance($input: UpdateInstanceInput!) {
    updateInstance(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);
