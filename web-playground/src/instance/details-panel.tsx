import { Badge, Button, Code, Group, Switch, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { Pencil } from 'lucide-react';
import { useControlPlane, usePermissions } from '../control-plane/control-plane';
import { Panel } from '../frame/panel';
import type { InstancePageFragment, InstanceState } from '../gql/graphql';
import { Ago } from '../time/ago';
import { full } from '../time/format';
import { AddressDialog } from './address-dialog';
import classes from './details-panel.module.css';
import { exposureText } from './exposure-fields';
import { HealthCheckPolicyDialog } from './health-check-policy';
import { IdleSuspendDialog } from './idle-suspend';
import { labelText } from './label-text';
import { LabelsDialog } from './labels-dialog';
import { MaintenanceWindowDialog, windowText } from './maintenance-window';
import { cpu, memory, storage } from './size';
import { StorageGrowthDialog } from './storage-growth';
import { StorageUsage } from './storage-usage';
import { useUpdateInstance } from './update';
import { possible } from './versions';

/** The states in which the address can be changed. */
const ADDRESSED = new Set<InstanceState>(['RUNNING', 'SUSPENDED']);

/** The specification of the instance. */
export function DetailsPanel({ instance }: { instance: InstancePageFragment }) {
  const { id, name, state, postgresVersion, updateAvailable, upgradeTargets, storageGb, cpuMillis, memoryMb, exposure, parameters, labels, idleSuspendMinutes, maintenanceWindow, storageAutoGrow, storageUsage, healthCheckPolicy, createdAt, deletedAt } = instance;
  const newer = possible(upgradeTargets);
  const { operate } = usePermissions();
  const network = useControlPlane().data?.runtime === 'process' ? 'localhost only' : 'Private';
  const [editing, edit] = useDisclosure(false);
  const [editingAddress, editAddress] = useDisclosure(false);
  const [editingWindow, editWindow] = useDisclosure(false);
  const [editingIdle, editIdle] = useDisclosure(false);
  const [editingChecks, editChecks] = useDisclosure(false);
  const [editingGrowth, editGrowth] = useDisclosure(false);
  return (
    <Panel title="Details">
      <dl className={classes.facts}>
        <dt>Name</dt>
        <dd>
          <Group gap={6}>
            {name}
            {operate && ADDRESSED.has(state) && (
              <Button variant="subtle" size="compact-xs" leftSection={<Pencil size={13} aria-hidden />} onClick={editAddress.open} aria-label="Edit name and network access">
                Edit
              </Button>
            )}
          </Group>
        </dd>
        <dt>PostgreSQL</dt>
        <dd>
          {postgresVersion}
          {updateAvailable && ` (${updateAvailable.from} runs, ${updateAvailable.to} is available)`}
          {newer.length > 0 && ` (can be upgraded to ${newer.join(', ')})`}
        </dd>
        <dt>Storage</dt>
        <dd>
          {storage(storageGb)}
          {storageUsage && <StorageUsage usage={storageUsage} />}
          <Group gap={6}>
            {storageAutoGrow ? `grows at ${storageAutoGrow.thresholdPercent}% to ${storage(storageAutoGrow.maxGb)} at the most` : 'does not grow by itself'}
            {operate && !deletedAt && (
              <Button variant="subtle" size="compact-xs" leftSection={<Pencil size={13} aria-hidden />} onClick={editGrowth.open} aria-label="Edit storage growth">
                Edit
              </Button>
            )}
          </Group>
        </dd>
        <dt>Compute</dt>
        <dd>
          {cpu(cpuMillis)}, {memory(memoryMb)}
        </dd>
        <dt>Network access</dt>
        <dd>{exposureText(exposure, network)}</dd>
        <dt>TLS</dt>
        <dd>
          <Tls instance={instance} />
        </dd>
        <dt>Health checks</dt>
        <dd>
          <Group gap={6}>
            {`every ${healthCheckPolicy.intervalSeconds}s, timeout ${healthCheckPolicy.timeoutSeconds}s`}
            {operate && !deletedAt && (
              <Button variant="subtle" size="compact-xs" leftSection={<Pencil size={13} aria-hidden />} onClick={editChecks.open} aria-label="Edit health checks">
                Edit
              </Button>
            )}
          </Group>
        </dd>
        <dt>Updates</dt>
        <dd>
          <Group gap={6}>
            {windowText(maintenanceWindow)}
            {operate && !deletedAt && (
              <Button variant="subtle" size="compact-xs" leftSection={<Pencil size={13} aria-hidden />} onClick={editWindow.open} aria-label="Edit maintenance window">
                Edit
              </Button>
            )}
          </Group>
        </dd>
        <dt>When idle</dt>
        <dd>
          <Group gap={6}>
            {idleSuspendMinutes ? `suspended after ${idleSuspendMinutes}m` : 'keeps running'}
            {operate && !deletedAt && (
              <Button variant="subtle" size="compact-xs" leftSection={<Pencil size={13} aria-hidden />} onClick={editIdle.open} aria-label="Edit idle suspension">
                Edit
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
          {full(createdAt)} (<Ago at={createdAt} suffix=" ago" />)
        </dd>
        {deletedAt && (
          <>
            <dt>Deleted</dt>
            <dd>
              {full(deletedAt)} (<Ago at={deletedAt} suffix=" ago" />)
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
            {labels.map((label) => (
              <Badge key={label.key} variant="default" tt="none" fw={500}>
                {labelText(label)}
              </Badge>
            ))}
            {labels.length === 0 && (
              <Text size="sm" c="dimmed">
                None
              </Text>
            )}
            {operate && !deletedAt && (
              <Button variant="subtle" size="compact-xs" leftSection={<Pencil size={13} aria-hidden />} onClick={edit.open} aria-label="Edit labels">
                Edit
              </Button>
            )}
          </Group>
        </dd>
      </dl>
      <AddressDialog instance={instance} opened={editingAddress} onDone={editAddress.close} />
      <LabelsDialog instance={instance} opened={editing} onClose={edit.close} />
      <HealthCheckPolicyDialog instance={instance} opened={editingChecks} onDone={editChecks.close} />
      <MaintenanceWindowDialog instance={instance} opened={editingWindow} onDone={editWindow.close} />
      <IdleSuspendDialog instance={instance} opened={editingIdle} onClose={editIdle.close} />
      <StorageGrowthDialog instance={instance} opened={editingGrowth} onDone={editGrowth.close} />
    </Panel>
  );
}

/** Whether TLS is required, which can be changed while the instance is running or suspended. */
function Tls({ instance }: { instance: InstancePageFragment }) {
  const { id, revision, state, requireTls, certificate } = instance;
  const { operate } = usePermissions();
  const { mutate, isPending } = useUpdateInstance();
  const onError = (error: Error) => notifications.show({ color: 'red', title: 'Couldn\'t change TLS', message: error.message });
  if (!operate || !ADDRESSED.has(state) || !certificate) return requireTls ? 'required' : certificate ? 'offered' : 'not seen yet';
  return (
    <Switch
      size="xs"
      label={requireTls ? 'required' : 'offered'}
      aria-label="Require TLS"
      checked={requireTls}
      disabled={isPending}
      onChange={(event) => mutate({ id, revision, requireTls: event.currentTarget.checked }, { onError })}
    />
  );
}
