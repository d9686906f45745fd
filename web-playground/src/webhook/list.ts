import { useEffect, useState } from 'react';
import { graphql } from '../gql';
import type { WebhookRowFragment } from '../gql/graphql';
import { follow } from '../live/connection';

interface Latest {
  /** Undefined until the first value arrives. */
  webhooks?: readonly WebhookRowFragment[];
  error?: Error;
}

/** The webhooks, live. There are few, so each change brings them all. */
export function useWebhooks(): Latest {
  const [latest, setLatest] = useState<Latest>({});
  useEffect(
    () =>
      follow<object, WebhookRowFragment[] & { cursor?: undefined }>({
        query: WEBHOOKS.toString(),
        next: (webhooks) => setLatest({ webhooks }),
        reset: () => {},
        error: (error) => setLatest(({ webhooks }) => ({ webhooks, error })),
      }),
    [],
  );
  return latest;
}

const WEBHOOKS = graphql(`
  subscription Webhooks {
    webhooks {
      ...WebhookRow
    }
  }

  fragment WebhookRow on Webhook {
    id
    url
    description
    events
    state
    disabled {
      code
      message
    }
    lastDeliveredAt
    lastAttempt {
      status
      error
    }
    failingSince
    nextAttemptAt
    pendingEvents
    revision
  }
`);
