import { Group, Switch, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { usePermissions } from '../control-plane/control-plane';
import { Panel } from '../frame/panel';
import { KINDS } from '../operation/kinds';
import { StartButton } from '../operation/start-button';
import type { PanelProps } from './sections';
import { useUpdateInstance } from './update';

/** Deletion protection, and deletion. */
export default function DeletionPanel({ instance }: PanelProps) {
  const { id, revision, deletionProtected } = instance;
  const { operate } = usePermissions();
  const { mutate, isPending } = useUpdateInstance();
  const onError = (error: Error) => notifications.show({ color: 'red', title: 'Couldn\'t change the deletion protection', message: error.message });

  if (!operate) {
    return (
      <Panel title="Deletion">
        <Text size="sm">Deletion protection is {deletionProtected ? 'on' : 'off'}.</Text>
      </Panel>
    );
  }

  return (
    <Panel title="Deletion">
      <Switch
        label="Deletion protection"
        checked={deletionProtected}
        disabled={isPending}
        onChange={(event) => mutate({ id, revision, deletionProtected: event.currentTarget.checked }, { onError })}
      />
      <Group mt="md" gap="xs">
        {KINDS.filter(({ destructive }) => destructive).map((operation) => (
          <StartButton key={operation.kind} operation={operation} instance={instance} keep />
        ))}
      </Group>
      {deletionProtected && (
        <Text size="sm" c="dimmed" mt="xs">
          Turn off deletion protection first.
        </Text>
      )}
    </Panel>
  );
}
