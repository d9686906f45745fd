import { Badge, Button, Code, Group, Switch, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { Pencil } from 'lucide-react';
import { useControlPlane, usePermissions } from '../control-plane/control-plane';
import { Panel } from '../frame/panel';
import type { InstancePageFragment } from '../gql/graphql';
import { Ago } from '../time/ago';
import classes from './details-panel.module.css';
import { HealthCheckPolicyDialog } from './health-check-policy';
import { IdleSuspendDialog } from './idle-suspend';
import { LabelsDialog } from './labels-dialog';
import { cores, memory, storage } from './size';
import { useUpdateInstance } from './update';

/** The specification of the instance. */
export function DetailsPanel({ instance }: { instance: InstancePageFragment }) {
  const { id, postgresVersion, storageGb, cpuMillis, memoryMb, exposure, parameters, labels, idleSuspendMinutes, healthCheckPolicy, createdAt, deletedAt } = instance;
  const { operate } = usePermissions();
  const network = useControlPlane().data?.runtime === 'process' ? 'this machine' : 'the cluster';
  const [editing, edit] = useDisclosure(false);
  const [editingIdle, editIdle] = useDisclosure(false);
  const [editingChecks, editChecks] = useDisclosure(false);
  return (
    <Panel title="Details">
      <dl className={classes.facts}>
        <dt>PostgreSQL</dt>
        <dd>{postgresVersion}</dd>
        <dt>Storage</dt>
        <dd>{storage(storageGb)}</dd>
        <dt>Compute</dt>
        <dd>
          {cores(cpuMillis)}, {memory(memoryMb)}
        </dd>
        <dt>Access</dt>
        <dd>{exposure.type === 'CLUSTER' ? `private, from ${network} only` : `public, from ${exposure.sourceRanges.join(', ') || 'any address'}`}</dd>
        <dt>TLS</dt>
        <dd>
          <Tls instance={instance} />
        </dd>
        <dt>Health checks</dt>
        <dd>
          <Group gap={6}>
            {`every ${healthCheckPolicy.intervalSeconds} s, timeout ${healthCheckPolicy.timeoutSeconds} s`}
            {operate && !deletedAt && (
              <Button variant="subtle" size="compact-xs" leftSection={<Pencil size={13} aria-hidden />} onClick={editChecks.open}>
                Change health checks
              </Button>
            )}
          </Group>
        </dd>
        <dt>When idle</dt>
        <dd>
          <Group gap={6}>
            {idleSuspendMinutes ? `suspended after ${idleSuspendMinutes} min` : 'keeps running'}
            {operate && !deletedAt && (
              <Button variant="subtle" size="compact-xs" leftSection={<Pencil size={13} aria-hidden />} onClick={editIdle.open}>
                Change when it is suspended
              </Button>
            )}
          </Group>
        </dd>
        {parameters.length > 0 && (
          <>
            <dt>Parameters</dt>
            <dd>
              {parameters.map(({ name, value, pendingRestart, pendingValue }) => (
                <Text key={name} size="sm" className={classes.parameter}>
                  {name} = {value ?? 'default'}
                  {pendingRestart && ` (${pendingValue ?? 'default'} after a restart)`}
                </Text>
              ))}
            </dd>
          </>
        )}
        <dt>Created</dt>
        <dd>
          <Ago at={createdAt} suffix=" ago" />
        </dd>
        {deletedAt && (
          <>
            <dt>Deleted</dt>
            <dd>
              <Ago at={deletedAt} suffix=" ago" />
            </dd>
          </>
        )}
        <dt>ID</dt>
        <dd>
          <Code className={classes.id}>{id}</Code>
        </dd>
        <dt>Labels</dt>
        <dd>
          <Group gap={6}>
            {labels.map(({ key, value }) => (
              <Badge key={key} variant="default" tt="none" fw={500}>
                {value ? `${key}=${value}` : key}
              </Badge>
            ))}
            {labels.length === 0 && (
              <Text size="sm" c="dimmed">
                None
              </Text>
            )}
            {operate && !deletedAt && (
              <Button variant="subtle" size="compact-xs" leftSection={<Pencil size={13} aria-hidden />} onClick={edit.open}>
                Edit labels
              </Button>
            )}
          </Group>
        </dd>
      </dl>
      <LabelsDialog instance={instance} opened={editing} onClose={edit.close} />
      <HealthCheckPolicyDialog instance={instance} opened={editingChecks} onDone={editChecks.close} />
      <IdleSuspendDialog instance={instance} opened={editingIdle} onClose={editIdle.close} />
    </Panel>
  );
}

/** Whether TLS is required, which can be changed while the instance is running. */
function Tls({ instance }: { instance: InstancePageFragment }) {
  const { id, state, requireTls, certificate } = instance;
  const { operate } = usePermissions();
  const { mutate, isPending } = useUpdateInstance();
  const onError = (error: Error) => notifications.show({ color: 'red', title: 'Request failed', message: error.message });
  if (!operate || state !== 'RUNNING' || !certificate) return requireTls ? 'required' : certificate ? 'offered' : 'not seen yet';
  return (
    <Switch
      size="xs"
      label={requireTls ? 'required' : 'offered'}
      aria-label="Require TLS"
      checked={requireTls}
      disabled={isPending}
      onChange={(event) => mutate({ id, requireTls: event.currentTarget.checked }, { onError })}
    />
  );
}
