import { Badge, Button, Code, Group, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Pencil } from 'lucide-react';
import { useControlPlane, usePermissions } from '../control-plane/control-plane';
import { Panel } from '../frame/panel';
import type { InstancePageFragment } from '../gql/graphql';
import { Ago } from '../time/ago';
import classes from './details-panel.module.css';
import { LabelsDialog } from './labels-dialog';
import { cores, memory, storage } from './size';

/** The specification of the instance. */
export function DetailsPanel({ instance }: { instance: InstancePageFragment }) {
  const { id, postgresVersion, storageGb, cpuMillis, memoryMb, exposure, requireTls, certificate, parameters, labels, createdAt, deletedAt } = instance;
  const { operate } = usePermissions();
  const network = useControlPlane().data?.runtime === 'process' ? 'this machine' : 'the cluster';
  const [editing, edit] = useDisclosure(false);
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
        <dd>{requireTls ? 'required' : certificate ? 'offered' : 'not seen yet'}</dd>
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
    </Panel>
  );
}
