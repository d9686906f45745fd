import { Alert, Anchor, Container, Group, Text, Title } from '@mantine/core';
import { Link } from 'wouter';
import { ActivityPanel } from '../activity/panel';
import { BackupsPanel } from '../backup/panel';
import { usePermissions } from '../control-plane/control-plane';
import { DatabasesPanel } from '../database/panel';
import { DatabaseUsersPanel } from '../database-user/panel';
import { EventLogPanel } from '../event/log-panel';
import { Loading } from '../frame/loading';
import { NotFound } from '../frame/not-found';
import { useTitle } from '../frame/use-title';
import { graphql } from '../gql';
import type { InstancePageFragment, InstanceState } from '../gql/graphql';
import { HealthPanel } from '../health/panel';
import { sentenceCase } from '../lib/label';
import { hasCode } from '../live/resume';
import { useLatest } from '../live/use-latest';
import { KINDS } from '../operation/kinds';
import { LatestOperationPanel } from '../operation/latest-panel';
import { StartButton } from '../operation/start-button';
import { TopQueriesPanel } from '../top-queries/panel';
import { ConnectPanel } from './connect-panel';
import { DeletionPanel } from './deletion-panel';
import { DetailsPanel } from './details-panel';
import classes from './page.module.css';
import { StatusBadge } from './status-badge';

/** One instance, live. */
export default function InstancePage({ id }: { id: string }) {
  const { value: instance, error } = useLatest<InstancePageFragment>(INSTANCE, id);
  useTitle(instance?.name ?? 'Instance');
  if (!instance && error && hasCode(error.cause, (code) => code === 'NOT_FOUND')) return <NotFound what="instance" />;

  return (
    <Container size="xl" py="lg">
      <Anchor component={Link} href="/" size="sm">
        ‹ Instances
      </Anchor>
      {error && (
        <Alert color="red" variant="outline" title="Live updates failed" my="md">
          {error.message}
        </Alert>
      )}
      {!instance && !error && <Loading />}
      {instance && <Shown instance={instance} />}
    </Container>
  );
}

function Shown({ instance }: { instance: InstancePageFragment }) {
  const { id, name, state, health, reason, notices, operations } = instance;
  const latest = operations.nodes[0];
  const { operate } = usePermissions();
  return (
    <>
      <Group gap="lg" mb="md">
        <Title order={1} size="h2" className={classes.name}>
          {name}
        </Title>
        <Group gap="md" role="status" aria-label="Status">
          <StatusBadge instance={instance} latest={latest} />
        </Group>
        {operate && (
          <Group gap="xs" ml="auto">
            {KINDS.filter(({ destructive }) => !destructive).map((operation) => (
              <StartButton key={operation.kind} operation={operation} instance={instance} />
            ))}
          </Group>
        )}
      </Group>
      {reason && (
        <Alert color={state === 'FAILED' || health === 'UNHEALTHY' ? 'red' : 'gray'} variant="outline" mb="md" p="xs" role="status">
          {sentenceCase(reason.message)}
          {state === 'FAILED' && operate && (
            <Text size="sm" mt={4}>
              Retry the operation, or delete the instance.
            </Text>
          )}
        </Alert>
      )}
      {notices.map(({ code, message }) => (
        <Alert key={code} color="yellow" variant="outline" mb="md" p="xs" role="status">
          {sentenceCase(message)}
        </Alert>
      ))}
      <div className={classes.columns} data-settled={SETTLED.has(state) || undefined}>
        <div className={classes.main}>
          <ConnectPanel instance={instance} />
          {state === 'RUNNING' && (
            <>
              <DatabasesPanel instance={instance} />
              <DatabaseUsersPanel instance={instance} />
            </>
          )}
          <BackupsPanel instance={instance} />
          <HealthPanel instance={instance} expecting={!UNCHECKED.has(state)} />
          {operate && state === 'RUNNING' && (
            <>
              <ActivityPanel instanceId={id} />
              <TopQueriesPanel instanceId={id} />
            </>
          )}
          <EventLogPanel instanceId={id} />
        </div>
        <div className={classes.side}>
          {latest && <LatestOperationPanel id={latest.id} instanceId={id} said={reason?.message} />}
          <DetailsPanel instance={instance} />
          {state !== 'DELETED' && <DeletionPanel instance={instance} />}
        </div>
      </div>
    </>
  );
}

/** The states in which nothing is in progress or wrong. */
const SETTLED = new Set<InstanceState>(['RUNNING', 'SUSPENDED', 'DELETED']);

/** The states without health checks. */
const UNCHECKED = new Set<InstanceState>(['FAILED', 'SUSPENDED', 'DELETING', 'DELETED']);

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
