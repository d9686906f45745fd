import { Group, Switch, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { usePermissions } from '../control-plane/control-plane';
import { EditButton } from '../frame/edit-button';
import { Panel } from '../frame/panel';
import type { InstanceState } from '../gql/graphql';
import classes from './details-panel.module.css';
import { HealthCheckPolicyDialog } from './health-check-policy';
import { IdleSuspendDialog } from './idle-suspend';
import { MaintenanceWindowDialog, windowText } from './maintenance-window';
import type { PanelProps } from './sections';
import { storage } from './size';
import { StorageGrowthDialog } from './storage-growth';
import { useUpdateInstance } from './update';

/** How the instance behaves, which can be changed. */
export default function SettingsPanel({ instance }: PanelProps) {
  const { parameters, idleSuspendMinutes, maintenanceWindow, storageAutoGrow, healthCheckPolicy, deletedAt } = instance;
  const { operate } = usePermissions();
  const [editingWindow, editWindow] = useDisclosure(false);
  const [editingIdle, editIdle] = useDisclosure(false);
  const [editingChecks, editChecks] = useDisclosure(false);
  const [editingGrowth, editGrowth] = useDisclosure(false);
  const editable = operate && !deletedAt;
  return (
    <Panel title="Configuration">
      <dl className={classes.facts}>
        <dt>TLS</dt>
        <dd>
          <Tls instance={instance} />
        </dd>
        <dt>Storage growth</dt>
        <dd>
          <Group gap={6}>
            {storageAutoGrow ? `grows at ${storageAutoGrow.thresholdPercent}% to ${storage(storageAutoGrow.maxGb)} at the most` : 'does not grow by itself'}
            {editable && <EditButton label="Edit storage growth" onClick={editGrowth.open} />}
          </Group>
        </dd>
        <dt>Health checks</dt>
        <dd>
          <Group gap={6}>
            {`every ${healthCheckPolicy.intervalSeconds}s, timeout ${healthCheckPolicy.timeoutSeconds}s`}
            {editable && <EditButton label="Edit health checks" onClick={editChecks.open} />}
          </Group>
        </dd>
        <dt>Updates</dt>
        <dd>
          <Group gap={6}>
            {windowText(maintenanceWindow)}
            {editable && <EditButton label="Edit maintenance window" onClick={editWindow.open} />}
          </Group>
        </dd>
        <dt>When idle</dt>
        <dd>
          <Group gap={6}>
            {idleSuspendMinutes ? `suspended after ${idleSuspendMinutes}m` : 'keeps running'}
            {editable && <EditButton label="Edit idle suspension" onClick={editIdle.open} />}
          </Group>
        </dd>
        <dt>Parameters</dt>
        <dd>
          {parameters.map(({ name, value, pendingRestart, pendingValue }) => (
            <Text key={name} size="sm" className={classes.parameter}>
              {name} = {value ?? 'default'}
              {pendingRestart && ` (${pendingValue ?? 'default'} after a restart)`}
            </Text>
          ))}
          {parameters.length === 0 && 'defaults'}
        </dd>
      </dl>
      <HealthCheckPolicyDialog instance={instance} opened={editingChecks} onDone={editChecks.close} />
      <MaintenanceWindowDialog instance={instance} opened={editingWindow} onDone={editWindow.close} />
      <IdleSuspendDialog instance={instance} opened={editingIdle} onClose={editIdle.close} />
      <StorageGrowthDialog instance={instance} opened={editingGrowth} onDone={editGrowth.close} />
    </Panel>
  );
}

/** The states in which that can be changed. */
const CHANGEABLE = new Set<InstanceState>(['RUNNING', 'SUSPENDED']);

/** Whether TLS is required, which can be changed while the instance is running or suspended. */
function Tls({ instance }: PanelProps) {
  const { id, revision, state, requireTls, certificate } = instance;
  const { operate } = usePermissions();
  const { mutate, isPending } = useUpdateInstance();
  const onError = (error: Error) => notifications.show({ color: 'red', title: "Couldn't change TLS", message: error.message });
  if (!operate || !CHANGEABLE.has(state) || !certificate) return requireTls ? 'required' : certificate ? 'offered' : 'not seen yet';
  return (
    <Switch
      size="sm"
      label={requireTls ? 'required' : 'offered'}
      aria-label="Require TLS"
      checked={requireTls}
      disabled={isPending}
      onChange={(event) => mutate({ id, revision, requireTls: event.currentTarget.checked }, { onError })}
    />
  );
}
