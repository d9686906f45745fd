import { Button, Group } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { Ban, RotateCcw } from 'lucide-react';
import { usePermissions } from '../control-plane/control-plane';
import { graphql } from '../gql';
import type { OperationCardFragment } from '../gql/graphql';
import { useMutate } from '../lib/use-mutate';

/** Buttons to cancel or retry an operation, as the server allows it. */
export function OperationActions({ operation }: { operation: OperationCardFragment }) {
  const { id, canCancel, canRetry, cancelRequested, finishedAt } = operation;
  const { operate } = usePermissions();
  const cancel = useMutate(CANCEL);
  const retry = useMutate(RETRY, { idempotent: true });
  const cancelling = cancelRequested && !finishedAt;
  if (!operate || !(canCancel || canRetry || cancelling)) return null;

  return (
    <Group gap="xs" mt="sm">
      {(canCancel || cancelling) && (
        <Button
          variant="default"
          size="xs"
          leftSection={<Ban size={14} aria-hidden />}
          loading={cancel.isPending}
          disabled={cancelling}
          onClick={() => cancel.mutate({ id }, { onError: failed("Couldn't cancel operation") })}
        >
          {cancelling ? 'Cancelling…' : 'Cancel'}
        </Button>
      )}
      {canRetry && (
        <Button size="xs" leftSection={<RotateCcw size={14} aria-hidden />} loading={retry.isPending} onClick={() => retry.mutate({ id }, { onError: failed("Couldn't retry operation") })}>
          Retry
        </Button>
      )}
    </Group>
  );
}

function failed(title: string): (error: Error) => void {
  return ({ message }) => notifications.show({ color: 'red', title, message });
}

const CANCEL = graphql(`
  mutation CancelOperation($input: CancelOperationInput!) {
    cancelOperation(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);

const RETRY = graphql(`
  mutation RetryOperation($input: RetryOperationInput!) {
    retryOperation(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);
