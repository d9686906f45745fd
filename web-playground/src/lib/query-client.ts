import { QueryClient } from '@tanstack/react-query';
import { RequestError } from './request';

const RETRY_AFTER_MS = 2_000;

/**
 * Queries are retried until the server is available again, so that a page that is open during a restart needs no reload.
 * Mutations are not: the user decides whether to send them again.
 */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        retry: (_, error) => error instanceof RequestError && error.transient,
        retryDelay: RETRY_AFTER_MS,
        // Subscriptions deliver changes; focusing the window reloads nothing.
        staleTime: Infinity,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        // A server on this machine is reachable while the browser reports that it is offline.
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  });
}
