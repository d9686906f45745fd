import { Alert, Anchor, Code, Container, Group, Text, Title } from '@mantine/core';
import { Link } from 'wouter';
import { Loading } from '../frame/loading';
import { NotFound } from '../frame/not-found';
import { Panel } from '../frame/panel';
import { useTitle } from '../frame/use-title';
import { sentenceCase } from '../lib/label';
import { hasCode } from '../live/resume';
import { full } from '../time/format';
import { Took } from '../time/took';
import { OperationActions } from './actions';
import { useOperation } from './latest-panel';
import { nameOf } from './names';
import { repeats } from './repeats';
import { OperationMark } from './status';
import { Steps } from './steps';

/** One operation with its steps, live. */
export default function OperationPage({ id }: { id: string }) {
  const { value: operation, error } = useOperation(id);
  const title = operation ? `${nameOf(operation)} ${operation.instance.name}` : 'Operation';
  useTitle(title);
  if (!operation && error && hasCode(error.cause, (code) => code === 'NOT_FOUND')) return <NotFound what="operation" />;
  return (
    <Container size="md" py="lg">
      <Anchor component={Link} href="/operations" size="sm">
        ‹ Operations
      </Anchor>
      {error && (
        <Alert color="red" variant="outline" title="Can't load the operation" my="md">
          {sentenceCase(error.message)}
        </Alert>
      )}
      {!operation && !error && <Loading />}
      {operation && (
        <>
          <Group gap="lg" mb="md">
            <Title order={1} size="h2" style={{ overflowWrap: 'anywhere' }}>
              {title}
            </Title>
            <span role="status" aria-label="Status">
              <OperationMark status={operation.status} />
            </span>
          </Group>
          <Panel
            title="Steps"
            aside={
              <Text size="sm" c="dimmed">
                <Took from={operation.createdAt} to={operation.finishedAt} />, requested {full(operation.createdAt)}
                {operation.requestedBy && ` by ${operation.requestedBy}`}
              </Text>
            }
          >
            <Steps steps={operation.steps} />
            {operation.error && !operation.steps.some(({ error }) => error && repeats(operation.error?.message ?? '', error.message)) && (
              <Alert color={operation.status === 'FAILED' ? 'red' : 'gray'} variant="outline" mt="sm" p="xs">
                {sentenceCase(operation.error.message)}
              </Alert>
            )}
            <OperationActions operation={operation} />
          </Panel>
          <Group justify="space-between" mt="md">
            <Code style={{ overflowWrap: 'anywhere' }}>{operation.id}</Code>
            <Anchor component={Link} href={`/instances/${operation.instance.id}`} size="sm">
              View instance
            </Anchor>
          </Group>
        </>
      )}
    </Container>
  );
}
