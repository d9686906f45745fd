import { Alert, Button, Code, Group, Text } from '@mantine/core';
import { useEffect } from 'react';
import { Dialog } from '../frame/dialog';
import { Loading } from '../frame/loading';
import { graphql } from '../gql';
import type { WebhookRowFragment } from '../gql/graphql';
import { useMutate } from '../lib/use-mutate';

interface Props {
  webhook: WebhookRowFragment;
  opened: boolean;
  onClose: () => void;
}

/** Sends a test message when it opens, and shows what came back. */
export function TestWebhookDialog({ webhook, opened, onClose }: Props) {
  return (
    <Dialog opened={opened} onClose={onClose} title="Test message">
      <Answer id={webhook.id} onClose={onClose} />
    </Dialog>
  );
}

function Answer({ id, onClose }: { id: string; onClose: () => void }) {
  const { mutate, data, error, isPending } = useMutate(TEST);
  useEffect(() => mutate({ id }), [mutate, id]);
  const { answer } = data ?? {};
  const failure = error?.message ?? answer?.error;
  return (
    <>
      {isPending && <Loading />}
      {failure && (
        <Alert color="red" variant="outline" title="Not delivered" role="alert">
          {failure}
        </Alert>
      )}
      {answer?.delivered && (
        <Text size="sm" role="status">
          Delivered: status {answer.status} after {Math.round(answer.durationMs)}ms
        </Text>
      )}
      {answer?.body && (
        <Code block mt="sm" tabIndex={0} role="group" aria-label="Answer" style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
          {answer.body}
        </Code>
      )}
      <Group justify="flex-end" mt="lg">
        <Button variant="default" disabled={isPending} onClick={() => mutate({ id })}>
          Send again
        </Button>
        <Button onClick={onClose}>Done</Button>
      </Group>
    </>
  );
}

const TEST = graphql(`
  mutation TestWebhook($input: TestWebhookInput!) {
    testWebhook(input: $input) {
      answer {
        delivered
        status
        error
        body
        durationMs
      }
      userErrors {
        field
        message
      }
    }
  }
`);
