import { Button, Switch, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import { usePermissions } from '../control-plane/control-plane';
import { Panel } from '../frame/panel';
import type { InstancePageFragment } from '../gql/graphql';
import { DeleteDialog } from './delete-dialog';
import { updateInstance } from './update';

/** Protection against deletion, and deletion. */
export function SettingsPanel({ instance }: { instance: InstancePageFragment }) {
  const { id, state, deletionProtected } = instance;
  const { operate } = usePermissions();
  const [busy, setBusy] = useState(false);
  const [deleting, remove] = useDisclosure(false);

  async function protect(wanted: boolean) {
    setBusy(true);
    try {
      await updateInstance({ id, deletionProtected: wanted });
    } catch (error) {
      notifications.show({ color: 'red', title: 'That did not work', message: (error as Error).message });
    } finally {
      setBusy(false);
    }
  }

  if (!operate) {
    return (
      <Panel title="Deletion">
        <Text size="sm">{deletionProtected ? 'Protected against deletion.' : 'Not protected against deletion.'}</Text>
      </Panel>
    );
  }

  return (
    <Panel title="Deletion">
      <Switch
        label="Protected against deletion"
        checked={deletionProtected}
        disabled={busy}
        onChange={(event) => void protect(event.currentTarget.checked)}
      />
      <Button
        mt="md"
        color="red"
        variant="outline"
        leftSection={<Trash2 size={16} aria-hidden />}
        disabled={deletionProtected || state === 'DELETING'}
        onClick={remove.open}
      >
        Delete this instance
      </Button>
      {deletionProtected && (
        <Text size="sm" c="dimmed" mt="xs">
          Lift the protection to delete it.
        </Text>
      )}
      <DeleteDialog instance={instance} opened={deleting} onClose={remove.close} />
    </Panel>
  );
}
