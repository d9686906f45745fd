import { useCallback, useEffect, useRef, useState } from 'react';
import { graphql } from '../gql';
import type { TokenRowFragment } from '../gql/graphql';
import { request } from '../lib/request';
import { retrying } from '../lib/use-query';

const PAGE = 100;

export interface TokenList {
  /** Undefined while loading. */
  tokens?: readonly TokenRowFragment[];
  /** Loads further ones; undefined when all are there. */
  more?: () => void;
  /** Loads them anew, after a change. */
  reload: () => void;
  error?: Error;
}

/** The tokens of this control plane. There is no stream of them: they change by this page, or seldom. */
export function useTokens(): TokenList {
  const [list, setList] = useState<Omit<TokenList, 'reload'>>({});
  const current = useRef<AbortController>(undefined);

  const reload = useCallback(() => {
    current.current?.abort();
    const ended = new AbortController();
    current.current = ended;

    async function load(known: readonly TokenRowFragment[], after?: string | null): Promise<void> {
      try {
        const { apiTokens } = await retrying(() => request(TOKENS, { first: PAGE, after }), ended.signal);
        if (ended.signal.aborted) return;
        const tokens = [...known, ...apiTokens.nodes];
        const { hasNextPage, endCursor } = apiTokens.pageInfo;
        setList({ tokens, more: hasNextPage ? () => void load(tokens, endCursor) : undefined });
      } catch (error) {
        if (!ended.signal.aborted) setList((list) => ({ ...list, error: error as Error }));
      }
    }
    void load([]);
  }, []);

  useEffect(() => {
    reload();
    return () => current.current?.abort();
  }, [reload]);
  return { ...list, reload };
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
