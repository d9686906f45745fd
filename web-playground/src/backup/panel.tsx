import { Alert, Button, Group, Table, Text, VisuallyHidden } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Archive, Copy, History, Pencil } from 'lucide-react';
import { useState } from 'react';
import { useControlPlane, usePermissions } from '../control-plane/control-plane';
import { Dialog } from '../frame/dialog';
import { Panel } from '../frame/panel';
import { graphql } from '../gql';
import type { BackupProtection, BackupsFragment } from '../gql/graphql';
import type { PanelProps } from '../instance/sections';
import { label, sentenceCase } from '../lib/label';
import { useMutate } from '../lib/use-mutate';
import { useLatest } from '../live/use-latest';
import { Ago } from '../time/ago';
import { full } from '../time/format';
import { canClone } from './clone';
import { CloneForm } from './clone-form';
import { CreateBackupForm } from './create-form';
import { DeleteBackupForm } from './delete-form';
import { kept } from './kept';
import { BackupPolicyForm } from './policy-form';
import { RestoreForm } from './restore-form';
import { bytes } from './timeline';
import { Timeline } from './timeline-bar';

/** Whether the instance is protected, what can be restored of it, and its base backups: live. */
export default function BackupsPanel({ instance }: PanelProps) {
  const { value, error } = useLatest<BackupsFragment>(BACKUPS, instance.id);
  const { operate } = usePermissions();
  const [creating, create] = useDisclosure(false);
  const [changing, change] = useDisclosure(false);
  const [restoring, restore] = useDisclosure(false);
  const [cloning, clone] = useDisclosure(false);
  const copies = useControlPlane().data?.copiesInstances ?? false;
  const exists = instance.state !== 'DELETED';
  return (
    <Panel
      title="Backups"
      aside={
        operate &&
        value && (
          <Group gap="xs">
            {exists && (
              <>
                <Button variant="default" size="xs" leftSection={<Pencil size={14} aria-hidden />} onClick={change.open}>
                  Change the policy
                </Button>
                <Button
                  variant="default"
                  size="xs"
                  leftSection={<Archive size={14} aria-hidden />}
                  disabled={!instance.availableOperations.includes('CREATE_BACKUP') || !TAKES_BACKUPS.has(value.backupPolicy.protection)}
                  onClick={create.open}
                >
                  Back up now
                </Button>
              </>
            )}
            <Button variant="default" size="xs" leftSection={<History size={14} aria-hidden />} disabled={!value.recovery?.intervals.length} onClick={restore.open}>
              Restore
            </Button>
            {exists && (
              <Button
                variant="default"
                size="xs"
                leftSection={<Copy size={14} aria-hidden />}
                disabled={!canClone(instance.state, copies, value.recovery)}
                onClick={clone.open}
              >
                Clone
              </Button>
            )}
          </Group>
        )
      }
    >
      {error && <Text className="error">{sentenceCase(error.message)}</Text>}
      {value && <Shown value={value} operate={operate} />}
      {value && (
        <>
          <Dialog opened={creating} onClose={create.close} title={`Back up ${instance.name} now?`}>
            <CreateBackupForm instance={instance} onDone={create.close} />
          </Dialog>
          <Dialog opened={changing} onClose={change.close} title={`Backups of ${instance.name}`}>
            <BackupPolicyForm id={instance.id} revision={instance.revision} policy={value.backupPolicy} onDone={change.close} />
          </Dialog>
          <Dialog opened={cloning} onClose={clone.close} title={`Clone ${instance.name} into a new instance`}>
            <CloneForm source={instance} onCancel={clone.close} />
          </Dialog>
          {value.recovery && (
            <Dialog opened={restoring} onClose={restore.close} title={`Restore ${instance.name} into a new instance`}>
              <RestoreForm source={instance} recovery={value.recovery} onCancel={restore.close} />
            </Dialog>
          )}
        </>
      )}
    </Panel>
  );
}

function Shown({ value: { backupPolicy: policy, recovery, backups }, operate }: { value: BackupsFragment; operate: boolean }) {
  return (
    <>
      <Protection policy={policy} />
      {recovery && <Timeline recovery={recovery} />}
      {recovery?.incomplete && (
        <Text size="sm" c="var(--warn)">
          {sentenceCase(recovery.incomplete.message)}
        </Text>
      )}
      {recovery?.lastDurableAt && recovery.archiving && (
        <Text size="sm" c="dimmed" mt={4}>
          {recovery.lagSeconds ? `Archiving is ${Math.ceil(recovery.lagSeconds)}s behind.` : 'Every commit is archived within seconds.'} The store holds{' '}
          {bytes(recovery.storedBytes)}.
        </Text>
      )}
      {backups.nodes.length > 0 && <Backups backups={backups.nodes} operate={operate} />}
    </>
  );
}

/** A warning where nothing protects the instance, and what the backups do not survive. */
function Protection({ policy: { protection, reason, store, durability, retentionDays } }: { policy: BackupsFragment['backupPolicy'] }) {
  const warning = WARNINGS[protection];
  if (warning) {
    return (
      <Alert color={protection === 'FAILING' ? 'red' : 'yellow'} variant="outline" p="xs" mb="sm" role="status">
        {warning}
        {reason && ` ${sentenceCase(reason.message)}.`}
      </Alert>
    );
  }
  return (
    <Text size="sm" mb="sm" role="status">
      {protection === 'STOPPED' ? 'Nothing is committed while its server does not run.' : protection === 'STARTING' ? 'The first backup is being taken.' : 'Protected.'}{' '}
      Kept for {retentionDays} days in the {store}
      {durability === 'SAME_MACHINE' && ', which does not survive the loss of this machine'}.
    </Text>
  );
}

const WARNINGS: Partial<Record<BackupProtection, string>> = {
  NOT_CONFIGURED: 'Nothing protects this instance: the server has no store for backups (TOYGRES_BACKUP_STORE).',
  OFF: 'Nothing protects this instance: its backups are turned off.',
  UNSUPPORTED: 'Nothing protects this instance: it was created by an earlier release, and has no role for replication.',
  FAILING: 'What is committed now is not archived.',
};

/** With these, a backup can be taken. */
const TAKES_BACKUPS = new Set<BackupProtection>(['PROTECTED', 'STARTING', 'FAILING']);

function Backups({ backups, operate }: { backups: BackupsFragment['backups']['nodes']; operate: boolean }) {
  const [chosen, choose] = useState<string>();
  const [deleting, remove] = useDisclosure(false);
  const update = useMutate(UPDATE);
  return (
    <>
      <Table.ScrollContainer minWidth={620} type="native" mt="md">
      <Table aria-label="Backups">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Taken</Table.Th>
            <Table.Th>Status</Table.Th>
            <Table.Th>Size</Table.Th>
            <Table.Th>Verified</Table.Th>
            <Table.Th>Kept until</Table.Th>
            <Table.Th pos="relative">
              <VisuallyHidden>Actions</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {backups.map(({ id, status, bytes: size, totalBytes, storedBytes, createdAt, finishedAt, expiresAt, keptFor, locked, error, verification }) => (
            <Table.Tr key={id}>
              <Table.Td>
                <Ago at={finishedAt ?? createdAt} suffix=" ago" />
              </Table.Td>
              <Table.Td>
                {label(status)}
                {status === 'RUNNING' && totalBytes && `, ${Math.min(99, Math.floor((Number(size) / Number(totalBytes)) * 100))}%`}
                {error && `: ${error.message}`}
              </Table.Td>
              <Table.Td>
                {storedBytes ? `${bytes(size)}, ${bytes(storedBytes)} stored` : '—'}
              </Table.Td>
              <Table.Td>{status === 'AVAILABLE' ? verified(verification) : '—'}</Table.Td>
              <Table.Td>{locked ? 'locked' : kept(keptFor, expiresAt ? full(expiresAt) : '—')}</Table.Td>
              <Table.Td ta="right">
                {operate && (status === 'AVAILABLE' || status === 'FAILED') && (
                  <Group gap="xs" justify="flex-end" wrap="nowrap">
                    {status === 'AVAILABLE' && (
                      <Button variant="default" size="xs" loading={update.isPending} onClick={() => update.mutate({ id, locked: !locked })}>
                        {locked ? 'Unlock' : 'Lock'}
                      </Button>
                    )}
                    <Button
                      variant="default"
                      size="xs"
                      disabled={locked}
                      onClick={() => {
                        choose(id);
                        remove.open();
                      }}
                    >
                      Delete
                    </Button>
                  </Group>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      </Table.ScrollContainer>
      {update.error && <Text className="error">{update.error.message}</Text>}
      {chosen && (
        <Dialog opened={deleting} onClose={remove.close} title="Delete the backup?">
          <DeleteBackupForm id={chosen} onDone={remove.close} />
        </Dialog>
      )}
    </>
  );
}

/** What came of the verification of a backup. */
function verified({ status, restoreSeconds, reason }: BackupsFragment['backups']['nodes'][number]['verification']) {
  if (status === 'VERIFIED' && restoreSeconds != null) {
    return `Restored in ${restoreSeconds.toFixed(1)}s`;
  }
  return reason ? `${label(status)}: ${reason.message}` : label(status);
}

const BACKUPS = graphql(`
  subscription InstanceBackups($id: ID!) {
    instanceBackups(id: $id) {
      ...Backups
    }
  }

  fragment Backups on Instance {
    id
    backupPolicy {
      enabled
      intervalHours
      retentionDays
      store
      durability
      protection
      reason {
        code
        message
      }
    }
    recovery {
      from
      to
      intervals {
        from
        to
      }
      gaps {
        from
        to
        reason
      }
      lastDurableAt
      lagSeconds
      archiving
      storedBytes
      incomplete {
        message
      }
    }
    backups(first: 20) {
      nodes {
        id
        status
        bytes
        totalBytes
        storedBytes
        createdAt
        finishedAt
        expiresAt
        keptFor
        locked
        error {
          message
        }
        verification {
          status
          restoreSeconds
          reason {
            message
          }
        }
      }
    }
  }
`);

const UPDATE = graphql(`
  mutation UpdateBackup($input: UpdateBackupInput!) {
    updateBackup(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);
