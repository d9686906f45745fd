import { createContext, type ReactNode, useContext } from 'react';
import { graphql } from '../gql';
import type { ControlPlaneQuery } from '../gql/graphql';
import { request } from '../lib/request';
import { type Loaded, useQuery } from '../lib/use-query';

type ControlPlane = ControlPlaneQuery['controlPlane'];

const Context = createContext<Loaded<ControlPlane>>({});

/** Asks once for all that is below it. */
export function ControlPlaneProvider({ children }: { children: ReactNode }) {
  const loaded = useQuery('control-plane', async () => (await request(CONTROL_PLANE)).controlPlane);
  return <Context value={loaded}>{children}</Context>;
}

/** What this server is and what it offers. */
export function useControlPlane(): Loaded<ControlPlane> {
  return useContext(Context);
}

export interface Permissions {
  /** See secrets; create, change and delete. */
  operate: boolean;
  /** Make and revoke tokens, where callers need one. */
  administer: boolean;
  /** It is known that the caller may look only. */
  lookOnly: boolean;
}

/** What the caller may do: nothing until that is known, so that no button is shown that would fail. */
export function usePermissions(): Permissions {
  const { role, tokenName } = useControlPlane().data?.caller ?? {};
  return { operate: role === 'OPERATOR' || role === 'ADMIN', administer: role === 'ADMIN' && tokenName != null, lookOnly: role === 'VIEWER' };
}

const CONTROL_PLANE = graphql(`
  query ControlPlane {
    controlPlane {
      version
      runtime
      postgresVersions
      caller {
        role
        tokenName
      }
    }
  }
`);
