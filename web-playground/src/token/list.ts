import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { graphql } from '../gql';
import { request } from '../lib/request';

const PAGE = 100;
const KEY = ['apiTokens'];

/** The API tokens, page by page. There is no subscription for them. */
export function useTokens() {
  return useInfiniteQuery({
    queryKey: KEY,
    queryFn: async ({ pageParam }) => (await request(TOKENS, { first: PAGE, after: pageParam })).apiTokens,
    initialPageParam: undefined as string | null | undefined,
    getNextPageParam: ({ pageInfo }) => (pageInfo.hasNextPage ? pageInfo.endCursor : undefined),
    staleTime: 0,
  });
}

/** Loads the tokens again after a change. */
export function useReloadTokens(): () => void {
  const client = useQueryClient();
  return () => void client.invalidateQueries({ queryKey: KEY });
}

const TOKENS = graphql(`
  query Tokens($first: Int!, $after: String) {
    apiTokens(first: $first, after: $after) {
      pageInfo {
        endCursor
        hasNextPage
      }
      nodes {
        ...TokenRow
      }
    }
  }

  fragment TokenRow on ApiToken {
    id
    name
    role
    createdAt
    expiresAt
    revokedAt
    lastUsedAt
  }
`);
