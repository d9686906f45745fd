import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { graphql } from '../gql';
import type { TopQueriesQuery, TopQueryOrder } from '../gql/graphql';
import { request } from '../lib/request';
import { duration } from '../time/format';

export type TopQuery = NonNullable<TopQueriesQuery['instance']>['topQueries']['queries'][number];

/** The statements that have cost an instance most, in an order; read when they are shown first, and on request. */
export function useTopQueries(id: string, orderBy: TopQueryOrder, enabled: boolean) {
  return useQuery({
    queryKey: ['topQueries', id, orderBy],
    queryFn: async () => (await request(TOP_QUERIES, { id, orderBy })).instance?.topQueries ?? null,
    enabled,
    staleTime: 0,
    placeholderData: keepPreviousData,
  });
}

/** A time of a statement: `0.04ms`, `3.2ms`, `45ms`, `1.2s`. */
export function time(milliseconds: number): string {
  if (milliseconds < 1) return `${milliseconds.toFixed(2)}ms`;
  if (milliseconds < 10) return `${milliseconds.toFixed(1)}ms`;
  return duration(milliseconds);
}

/** A large number: `999`, `12.3k`, `4.5M`. */
export function count(number: string): string {
  return COUNT.format(Number(number)).toLowerCase().replace('m', 'M').replace('bn', 'B').replace('b', 'B');
}

const COUNT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** The rank of a statement is not its identity: those of another role or database are other ones. */
export function identity({ queryId, username, database }: Pick<TopQuery, 'queryId' | 'username' | 'database'>, index: number): string {
  return [queryId, username, database, username && database ? '' : index].join('/');
}

const TOP_QUERIES = graphql(`
  query TopQueries($id: ID!, $orderBy: TopQueryOrder!) {
    instance(id: $id) {
      topQueries(orderBy: $orderBy, first: 20) {
        since
        evictions
        queries {
          queryId
          text
          username
          database
          calls
          totalTimeMs
          meanTimeMs
          rows
          ioBytes
          timeShare
        }
        reason {
          message
        }
      }
    }
  }
`);
