import { Alert, Anchor, Button, Group, Skeleton, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link } from 'wouter';
import { Panel } from '../frame/panel';
import { graphql } from '../gql';
import type { OperationCardFragment } from '../gql/graphql';
import type { PanelProps } from '../instance/sections';
import { sentenceCase } from '../lib/label';
import { type Latest as LatestValue, useLatest } from '../live/use-latest';
import { Ago } from '../time/ago';
import { Took } from '../time/took';
import { OperationActions } from './actions';
import { nameOf } from './names';
import { repeats } from './repeats';
import { OperationMark } from './status';
import { Steps } from './steps';

/** The latest operation of an instance: with live steps while it runs or when it has failed, and as one line after that. */
export function LatestOperationPanel({ instance: { id, operations, reason } }: PanelProps) {
  const latest = operations.nodes[0];
  return latest ? <Latest id={latest.id} instanceId={id} said={reason?.message} /> : null;
}

interface Props {
  id: string;
  instanceId: string;
  /** What the page says about the instance already, and is not said again. */
  said?: string;
}

function Latest({ id, instanceId, said }: Props) {
  const { value: operation, error } = useOperation(id);
  const [opened, { toggle }] = useDisclosure(false);
  const settled = operation?.status === 'SUCCEEDED' || operation?.status === 'CANCELLED';
  const shown = !settled || opened;
  const reason = operation?.error?.message;
  return (
    <Panel
      title="Latest operation"
      aside={
        <Anchor component={Link} href={`/operations?instance=${instanceId}`} size="sm">
          All operations
        </Anchor>
      }
    >
      {error && <Text className="error">{sentenceCase(error.message)}</Text>}
      {!operation && !error && <Skeleton height={28} />}
      {operation && (
        <>
          <Group justify="space-between" gap="xs">
            <Group gap="sm">
              <Text fw={600}>{nameOf(operation)}</Text>
              <OperationMark status={operation.status} />
              {settled && operation.steps.length > 0 && (
                <Button variant="subtle" size="compact-xs" aria-expanded={opened} onClick={toggle}>
                  {opened ? 'Hide steps' : 'Show steps'}
                </Button>
              )}
            </Group>
            <Text size="sm" c="dimmed" className="digits">
              <Took from={operation.createdAt} to={operation.finishedAt} />
              {operation.finishedAt && (
                <>
                  , <Ago at={operation.finishedAt} suffix=" ago" />
                </>
              )}
            </Text>
          </Group>
          {shown && operation.requestedBy && (
            <Text size="sm" c="dimmed" mt={4}>
              Requested by {operation.requestedBy}
            </Text>
          )}
          {shown && <Steps steps={operation.steps} said={said} />}
          {reason && !repeats(reason, said) && !operation.steps.some(({ error }) => shown && repeats(reason, error?.message)) && (
            <Alert color={operation.status === 'FAILED' ? 'red' : 'gray'} variant="outline" mt="sm" p="xs">
              {sentenceCase(reason)}
            </Alert>
          )}
          <OperationActions operation={operation} />
        </>
      )}
    </Panel>
  );
}

/** The current value of an operation, then every change until it ends. */
export function useOperation(id: string): LatestValue<OperationCardFragment> {
  return useLatest<OperationCardFragment>(OPERATION, id);
}

const OPERATION = graphql(`
  subscription Operation($id: ID!) {
    operation(id: $id) {
      ...OperationCard
    }
  }
`);
