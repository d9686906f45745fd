import { graphql } from '../gql';

export const UPDATE = graphql(`
  mutation UpdateWebhook($input: UpdateWebhookInput!) {
    updateWebhook(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);
