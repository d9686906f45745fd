import { Alert, Button, Checkbox, Group, Modal, Text, TextInput } from '@mantine/core';
import { type FormEvent, useRef, useState } from 'react';
import { graphql } from '../gql';
import type { InstancePageFragment } from '../gql/graphql';
import { request } from '../lib/request';
import { createKeys } from '../lib/idempotency';

export function DeleteDialog({ instance, opened, onClose }: { instance: InstancePageFragment; opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title={`Delete ${instance.name}?`}>
      <DeleteForm instance={instance} onDone={onClose} />
    </Modal>
  );
}

/** Asks for the name, so that the wrong instance is not deleted in a hurry. */
function DeleteForm({ instance: { id, name }, onDone }: { instance: InstancePageFragment; onDone: () => void }) {
  const [typed, setTyped] = useState('');
  const [keepVolumes, setKeepVolumes] = useState(false);
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const keyFor = useRef(createKeys());

  async function remove(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      const input = { id, keepVolumes };
      const { userErrors } = (await request(DELETE, { input: { ...input, idempotencyKey: keyFor.current(input) } })).deleteInstance;
      if (userErrors.length) throw new Error(userErrors.map(({ message }) => message).join(' '));
      onDone();
    } catch (error) {
      setError((error as Error).message);
      setBusy(false);
    }
  }

  return (
    <form onSubmit={(event) => void remove(event)}>
      <Text size="sm">
        The database stops at once and cannot be started again. Its data is removed too, unless you keep the volumes.
      </Text>
      <Checkbox
        mt="md"
        label="Keep the volumes"
        checked={keepVolumes}
        onChange={(event) => setKeepVolumes(event.currentTarget.checked)}
      />
      <TextInput
        mt="md"
        label={`Type its name: ${name}`}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        autoComplete="off"
        spellCheck={false}
        data-autofocus
      />
      {error && (
        <Alert color="red" variant="outline" mt="md" role="alert">
          {error}
        </Alert>
      )}
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onDone}>
          Cancel
        </Button>
        <Button type="submit" color="red" disabled={typed !== name} loading={busy}>
          Delete
        </Button>
      </Group>
    </form>
  );
}

const DELETE = graphql(`
  mutation DeleteInstance($input: DeleteInstanceInput!) {
    deleteInstance(input: $input) {
      userErrors {
        message
      }
    }
  }
`);
