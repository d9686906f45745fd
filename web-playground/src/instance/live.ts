import { graphql } from '../gql';
import type { InstancePageFragment } from '../gql/graphql';
import { type Latest, useLatest } from '../live/use-latest';

/** One instance with all that its page and the forms of its operations need, live. */
export function useInstance(id: string): Latest<InstancePageFragment> {
  return useLatest<InstancePageFragment>(INSTANCE, id);
}

const INSTANCE = graphql(`
  subscription Instance($id: ID!) {
    instance(id: $id) {
      ...InstancePage
    }
  }

  fragment InstancePage on Instance {
    id
    revision
    name
    state
    health
    currentOperation {
      kind
      restoration {
        clones
      }
    }
    reason {
      code
      message
    }
    notices {
      code
      message
    }
    postgresVersion
    updateAvailable {
      from
      to
    }
    upgradeTargets {
      version
      obstacle
    }
    storageGb
    cpuMillis
    memoryMb
    username
    database
    exposure {
      type
      sourceRanges
      dnsLabel
    }
    parameters {
      name
      value
      pendingRestart
      pendingValue
    }
    requireTls
    certificate {
      notAfter
    }
    endpoint {
      host
      port
    }
    labels {
      key
      value
    }
    deletionProtected
    idleSuspendMinutes
    maintenanceWindow {
      weekday
      startTime
      durationMinutes
    }
    storageAutoGrow {
      thresholdPercent
      maxGb
    }
    storageUsage {
      usedBytes
      capacityBytes
      usedPercent
      readOnly
    }
    healthCheckPolicy {
      intervalSeconds
      timeoutSeconds
    }
    availableOperations
    databaseUsers(first: 100) {
      nodes {
        id
        name
        access
        database
      }
    }
    databases(first: 100) {
      nodes {
        id
        name
        owner
      }
    }
    createdAt
    deletedAt
    operations(first: 1) {
      nodes {
        id
        kind
        status
      }
    }
  }
`);
