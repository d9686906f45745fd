import { useQuery } from '@tanstack/react-query';
import { graphql } from '../gql';
import { possible } from '../instance/versions';
import { request } from '../lib/request';
import type { Existing } from './examples/fill';

/** What the examples are filled with; undefined while loading. */
export function useExisting(): Existing | undefined {
  const { data, isError } = useQuery({
    queryKey: ['graphiqlExamples'],
    queryFn: async (): Promise<Existing> => {
      const { instances, operations } = await request(NEWEST);
      const [newest] = instances.nodes;
      const instance = newest && { id: newest.id, name: newest.name, upgrade: possible(newest.upgradeTargets)[0] };
      return { instance, operation: operations.nodes[0]?.id, backup: newest?.backups.nodes[0]?.id };
    },
    // The examples are useful without it.
    retry: false,
  });
  return isError ? {} : data;
}

const NEWEST = graphql(`
  query Newest {
    instances(first: 1, orderBy: { field: CREATED_AT, direction: DESC }) {
      nodes {
        id
        name
        upgradeTargets {
          version
          obstacle
        }
        backups(first: 1) {
          nodes {
            id
          }
        }
      }
    }
    operations(first: 1) {
      nodes {
        id
      }
    }
  }
`);
