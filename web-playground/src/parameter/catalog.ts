import { useQuery } from '@tanstack/react-query';
import { graphql } from '../gql';
import type { ParametersQuery } from '../gql/graphql';
import { request } from '../lib/request';

export type Parameter = ParametersQuery['controlPlane']['parameters'][number];

/** The parameters that can be set in a version of PostgreSQL, by name. */
export function useParameters(postgresVersion: string) {
  return useQuery({
    queryKey: ['parameters', postgresVersion],
    queryFn: async () => {
      const { controlPlane } = await request(PARAMETERS, { postgresVersion });
      return new Map(controlPlane.parameters.map((parameter) => [parameter.name, parameter]));
    },
    staleTime: Infinity,
  });
}

/** What can be typed, in one line: `64 to 2147483647 kB, default 4096`. */
export function hint({ type, unit, min, max, default: builtIn }: Parameter): string {
  const range = (type === 'INTEGER' || type === 'REAL') && `${min} to ${max}${unit ? ` (${unit})` : ''}`;
  return [range, builtIn && `default ${builtIn}`].filter(Boolean).join(', ');
}

/** The values to choose from; null if they are typed. */
export function choices({ type, enumValues }: Parameter): string[] | null {
  return type === 'BOOL' ? ['on', 'off'] : (enumValues ?? null);
}

const PARAMETERS = graphql(`
  query Parameters($postgresVersion: String!) {
    controlPlane {
      parameters(postgresVersion: $postgresVersion) {
        name
        type
        unit
        min
        max
        enumValues
        default
        needsRestart
        category
        description
      }
    }
  }
`);
