import { Button, Group } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { Ban, RotateCcw } from 'lucide-react';
import { useRef, useState } from 'react';
import { usePermissions } from '../control-plane/control-plane';
import { graphql } from '../gql';
import type { OperationCardFragment } from '../gql/graphql';
import { createKeys } from '../lib/idempotency';
import { request } from '../lib/request';
import { isOver } from './words';

/** The ways out of an operation: cancel it while it runs, try it again when it did not work out. */
export function OperationActions({ operation }: { operation: OperationCardFragment }) {
  const { id, status, instance, cancelRequested } = operation;
  const { operate } = usePermissions();
  const [busy, setBusy] = useState(false);
  const keyFor = useRef(createKeys());
  // Removal, once begun, cannot be cancelled; and only what left its instance failed is worth repeating.
  const removing = operation.steps.some(({ name, status }) => name === 'DELETE_POSTGRES' && status !== 'PENDING');
  const cancellable = !removing && !isOver(status);
  const retryable = (status === 'FAILED' || status === 'CANCELLED') && instance.state === 'FAILED';
  if (!operate || (!cancellable && !retryable)) return null;

  async function run(action: () => Promise<{ userErrors: { message: string }[] }>) {
    setBusy(true);
    try {
      const { userErrors } = await action();
      if (userErrors.length) throw new Error(userErrors.map(({ message }) => message).join(' '));
    } catch (error) {
      notifications.show({ color: 'red', title: 'That did not work', message: (error as Error).message });
    } finally {
      setBusy(false);
    }
  }

  return (
    <Group gap="xs" mt="sm">
      {cancellable && (
        <Button
          variant="default"
          size="xs"
          leftSection={<Ban size={14} aria-hidden />}
          loading={busy}
          disabled={cancelRequested}
          onClick={() => void run(async () => (await request(CANCEL, { input: { id } })).cancelOperation)}
        >
          {cancelRequested ? 'Cancelling…' : 'Cancel'}
        </Button>
      )}
      {retryable && (
        <Button
          size="xs"
          leftSection={<RotateCcw size={14} aria-hidden />}
          loading={busy}
          onClick={() => void run(async () => (await request(RETRY, { input: { id, idempotencyKey: keyFor.current(id) } })).retryOperation)}
        >
          Try again
        </Button>
      )}
    </Group>
  );
}

const CANCEL = graphql(`
  mutation CancelOperation($input: CancelOperationInput!) {
    cancelOperation(input: $input) {
      userErrors {
        message
      }
    }
  }
`);

const RETRY = graphql(`
  mutation RetryOperation($input: RetryOperationInput!) {
    retryOperation(input: $input) {
      userErrors {
        message
      }
    }
  }
`);
