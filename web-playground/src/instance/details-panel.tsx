import { Badge, Code, Group, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link } from 'wouter';
import { useControlPlane, usePermissions } from '../control-plane/control-plane';
import { EditButton } from '../frame/edit-button';
import { Panel } from '../frame/panel';
import type { InstanceState } from '../gql/graphql';
import { Ago } from '../time/ago';
import { full } from '../time/format';
import { AddressDialog } from './address-dialog';
import classes from './details-panel.module.css';
import { exposureText } from './exposure-fields';
import { labelText } from './label-text';
import { LabelsDialog } from './labels-dialog';
import type { PanelProps } from './sections';
import { cpu, memory, storage } from './size';
import { StorageUsage } from './storage-usage';
import { possible } from './versions';

/** The states in which the address can be changed. */
const ADDRESSED = new Set<InstanceState>(['RUNNING', 'SUSPENDED']);

/** What the instance is. */
export function DetailsPanel({ instance }: PanelProps) {
  const { id, name, state, postgresVersion, updateAvailable, upgradeTargets, storageGb, cpuMillis, memoryMb, exposure, labels, storageUsage, createdAt, deletedAt } = instance;
  const newer = possible(upgradeTargets);
  const { operate } = usePermissions();
  const network = useControlPlane().data?.runtime === 'process' ? 'localhost only' : 'Private';
  const [editing, edit] = useDisclosure(false);
  const [editingAddress, editAddress] = useDisclosure(false);
  return (
    <Panel title="Details">
      <dl className={classes.facts}>
        <dt>Name</dt>
        <dd>
          <Group gap={6}>
            {name}
            {operate && ADDRESSED.has(state) && <EditButton label="Edit name and network access" onClick={editAddress.open} />}
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
        </dd>
        <dt>Compute</dt>
        <dd>
          {cpu(cpuMillis)}, {memory(memoryMb)}
        </dd>
        <dt>Network access</dt>
        <dd>{exposureText(exposure, network)}</dd>
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
              <Badge
                key={label.key}
                component={Link}
                href={`/?${new URLSearchParams({ q: labelText(label) })}`}
                title={`Show all with ${labelText(label)}`}
                variant="default"
                tt="none"
                fw={500}
                style={{ cursor: 'pointer' }}
              >
                {labelText(label)}
              </Badge>
            ))}
            {labels.length === 0 && (
              <Text size="sm" c="dimmed">
                None
              </Text>
            )}
            {operate && !deletedAt && <EditButton label="Edit labels" onClick={edit.open} />}
          </Group>
        </dd>
      </dl>
      <AddressDialog instance={instance} opened={editingAddress} onDone={editAddress.close} />
      <LabelsDialog instance={instance} opened={editing} onClose={edit.close} />
    </Panel>
  );
}
