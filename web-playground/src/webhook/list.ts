import { useEffect } from 'react';
import { graphql } from '../gql';
import type { WebhookRowFragment } from '../gql/graphql';
import { Store, useStore } from '../lib/store';
import { follow } from '../live/connection';
import { webhookStatus } from './state';

interface Latest {
  /** Undefined until the first value arrives. */
  webhooks?: readonly WebhookRowFragment[];
  error?: Error;
}

const latest = new Store<Latest>({});

/** The webhooks, live, for those who may see them. */
export function useWebhooks(): Latest {
  return useStore(latest);
}

/** How many webhooks the server has given up, so that their receivers are told of nothing any more. */
export function useGivenUp(): number {
  return useWebhooks().webhooks?.filter((webhook) => webhookStatus(webhook).status === 'GIVEN_UP').length ?? 0;
}

/** Keeps them live while the component is mounted: the frame, which says on every page that one is given up. There are few, so each change brings them all. */
export function useLiveWebhooks(hook: boolean): void {
  useEffect(() => {
    if (!hook) return;
    const stop = follow<object, WebhookRowFragment[] & { cursor?: undefined }>({
      query: WEBHOOKS.toString(),
      next: (webhooks) => latest.set({ webhooks }),
      reset: () => {},
      error: (error) => latest.set({ ...latest.get(), error }),
    });
    return () => {
      stop();
      latest.set({});
    };
  }, [hook]);
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
