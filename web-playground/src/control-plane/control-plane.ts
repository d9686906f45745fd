import { useQuery } from '@tanstack/react-query';
import { graphql } from '../gql';
import type { ControlPlaneQuery } from '../gql/graphql';
import { request } from '../lib/request';

export type Limits = ControlPlaneQuery['controlPlane']['limits'];

/** What the server is and offers: loaded once and shared by all components. */
export function useControlPlane() {
  return useQuery({ queryKey: ['controlPlane'], queryFn: async () => (await request(CONTROL_PLANE)).controlPlane });
}

export interface Permissions {
  /** See secrets; create, change and delete. */
  operate: boolean;
  /** Import backups of another control plane. */
  recover: boolean;
  /** See and change webhooks. */
  hook: boolean;
  /** Create and revoke API tokens, where the server requires them. */
  administer: boolean;
  /** The caller is known to have no permission to change anything. */
  readOnly: boolean;
}

/** What the caller may do: nothing until it is known, so that no button is shown that would fail. */
export function usePermissions(): Permissions {
  const { role, tokenName } = useControlPlane().data?.caller ?? {};
  return { operate: role === 'OPERATOR' || role === 'ADMIN', recover: role === 'ADMIN', hook: role === 'ADMIN', administer: role === 'ADMIN' && tokenName != null, readOnly: role === 'VIEWER' };
}

/** The limits of inputs, for forms: these open when the permissions are known, which come with the same response. */
export function useLimits(): Limits {
  const { data } = useControlPlane();
  if (!data) throw new Error('The limits of the server are not loaded yet.');
  return data.limits;
}

const CONTROL_PLANE = graphql(`
  query ControlPlane {
    controlPlane {
      version
      runtime
      postgresVersions
      copiesInstances
      caller {
        role
        tokenName
        tokenId
        tokenExpiresAt
      }
      limits {
        storageGb {
          ...Range
        }
        cpuMillis {
          ...Range
        }
        memoryMb {
          ...Range
        }
        healthCheckIntervalSeconds {
          ...Range
        }
        healthCheckTimeoutSeconds {
          ...Range
        }
        restartTimeoutSeconds {
          ...Range
        }
        suspendTimeoutSeconds {
          ...Range
        }
        idleSuspendMinutes {
          ...Range
        }
        maintenanceWindowMinutes {
          ...Range
        }
        storageAutoGrowPercent {
          ...Range
        }
        backupIntervalHours {
          ...Range
        }
        backupRetentionDays {
          ...Range
        }
        nameLength {
          ...Range
        }
        passwordBytes {
          ...Range
        }
        labels {
          ...Range
        }
        labelKeyLength {
          ...Range
        }
        labelValueLength {
          ...Range
        }
        tokenNameLength {
          ...Range
        }
        tokenExpiresInDays {
          ...Range
        }
        webhookUrlLength {
          ...Range
        }
        webhookDescriptionLength {
          ...Range
        }
      }
    }
  }

  fragment Range on IntRange {
    min
    max
    default
  }
`);
