import { graphql } from '../gql';
import type { ControlPlaneQuery } from '../gql/graphql';
import { request } from '../lib/request';
import { type Loaded, useQuery } from '../lib/use-query';

/** What this server is and what it offers. */
export function useControlPlane(): Loaded<ControlPlaneQuery['controlPlane']> {
  return useQuery('control-plane', async () => (await request(CONTROL_PLANE)).controlPlane);
}

const CONTROL_PLANE = graphql(`
  query ControlPlane {
    controlPlane {
      version
      runtime
      postgresVersions
    }
  }
`);
