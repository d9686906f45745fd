import { Alert, Anchor, Group, Skeleton, Text } from '@mantine/core';
import { Link } from 'wouter';
import { Panel } from '../frame/panel';
import { graphql } from '../gql';
import type { OperationCardFragment } from '../gql/graphql';
import { label, sentenceCase } from '../lib/label';
import { useLatest } from '../live/use-latest';
import { Ago } from '../time/ago';
import { Took } from '../time/took';
import { OperationActions } from './actions';
import { OperationMark } from './status';
import { Steps } from './steps';

/** The latest operation of an instance, with live steps. */
export function LatestOperationPanel({ id, instanceId }: { id: string; instanceId: string }) {
  const { value: operation, error } = useLatest<OperationCardFragment>(OPERATION, id);
  return (
    <Panel
      title="Latest operation"
      aside={
        <Anchor component={Link} href={`/operations?instance=${instanceId}`} size="sm">
          All operations
        </Anchor>
      }
    >
      {error && <Text className="error">{error.message}</Text>}
      {!operation && !error && <Skeleton height={190} />}
      {operation && (
        <>
          <Group justify="space-between" mb={6}>
            <Group gap="sm">
              <Text fw={600}>{label(operation.kind)}</Text>
              <OperationMark status={operation.status} />
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
          {operation.requestedBy && (
            <Text size="sm" c="dimmed" mb={6}>
              Requested by {operation.requestedBy}
            </Text>
          )}
          <Steps steps={operation.steps} />
          {operation.error && (
            <Alert color={operation.status === 'FAILED' ? 'red' : 'gray'} variant="outline" mt="sm" p="xs">
              {sentenceCase(operation.error.message)}
            </Alert>
          )}
          <OperationActions operation={operation} />
        </>
      )}
    </Panel>
  );
}

const OPERATION = graphql(`
  subscription Operation($id: ID!) {
    operation(id: $id) {
      ...OperationCard
    }
  }
`);
