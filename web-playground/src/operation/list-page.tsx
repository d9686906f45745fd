import { Accordion, Alert, Anchor, Button, Center, Container, Group, MultiSelect, Select, Text, Title } from '@mantine/core';
import { Link, useSearchParams } from 'wouter';
import { Loading } from '../frame/loading';
import { useTitle } from '../frame/use-title';
import type { OperationCardFragment, OperationKind, OperationStatus } from '../gql/graphql';
import { useInstances } from '../instance/list';
import { Ago } from '../time/ago';
import { Took } from '../time/took';
import { OperationActions } from './actions';
import { useOperations } from './list';
import classes from './list-page.module.css';
import { OperationMark } from './status';
import { Steps } from './steps';
import { KINDS, STATUSES } from './words';

/** The history of operations, live. */
export default function OperationsPage() {
  useTitle('Operations');
  const [params, setParams] = useSearchParams();
  const kind = params.getAll('kind').filter(isKind);
  const status = params.getAll('status').filter(isStatus);
  const instanceId = params.get('instance');
  const { operations, total, more, error } = useOperations({ instanceId, kind: kind.length ? kind : undefined, status: status.length ? status : undefined });

  function set(name: string, values: string[]) {
    const next = new URLSearchParams(params);
    next.delete(name);
    for (const value of values) next.append(name, value);
    setParams(next, { replace: true });
  }

  return (
    <Container size="xl" py="lg">
      <Title order={1} size="h2" mb="md">
        Operations
      </Title>
      <search className={classes.filters}>
        <InstanceSelect value={instanceId} onChange={(id) => set('instance', id ? [id] : [])} />
        <MultiSelect
          aria-label="Kinds"
          placeholder={kind.length ? undefined : 'Any kind'}
          data={Object.entries(KINDS).map(([value, label]) => ({ value, label }))}
          value={kind}
          onChange={(values) => set('kind', values)}
          clearable
          clearButtonProps={{ 'aria-label': 'Any kind' }}
        />
        <MultiSelect
          aria-label="Statuses"
          placeholder={status.length ? undefined : 'Any status'}
          data={Object.entries(STATUSES).map(([value, { word }]) => ({ value, label: word }))}
          value={status}
          onChange={(values) => set('status', values)}
          clearable
          clearButtonProps={{ 'aria-label': 'Any status' }}
        />
      </search>
      {error && (
        <Alert color="red" variant="outline" title="The list is not live" mt="md">
          {error.message}
        </Alert>
      )}
      {!operations && !error && <Loading />}
      {operations?.length === 0 && (
        <Text c="dimmed" ta="center" py="xl">
          {params.size ? 'No operation matches.' : 'Nothing has been asked for yet.'}
        </Text>
      )}
      {operations && operations.length > 0 && (
        <Accordion multiple keepMounted={false} variant="separated" mt="md" className={classes.list}>
          {operations.map((operation) => (
            <OperationItem key={operation.id} operation={operation} />
          ))}
        </Accordion>
      )}
      {more && operations && (
        <Center mt="md">
          <Button variant="default" onClick={more}>
            Show older ones ({total - operations.length > 0 ? total - operations.length : 'more'})
          </Button>
        </Center>
      )}
    </Container>
  );
}

function OperationItem({ operation }: { operation: OperationCardFragment }) {
  const { id, kind, status, instance, createdAt, finishedAt, error, steps } = operation;
  return (
    <Accordion.Item value={id}>
      <Accordion.Control>
        <span className={classes.item}>
          <span className={classes.what}>
            {KINDS[kind]} <strong>{instance.name}</strong>
          </span>
          <OperationMark status={status} />
          <span className={classes.time}>
            <Took from={createdAt} to={finishedAt} />
          </span>
          <span className={classes.time}>
            <Ago at={createdAt} suffix=" ago" />
          </span>
        </span>
        {error && <span className={classes.error}>{error.message}</span>}
      </Accordion.Control>
      <Accordion.Panel>
        <Steps steps={steps} />
        <Group justify="space-between" mt="xs">
          <Text size="xs" c="dimmed" className={classes.id}>
            {id}
          </Text>
          <Anchor component={Link} href={`/instances/${instance.id}`} size="sm">
            To the instance
          </Anchor>
        </Group>
        <OperationActions operation={operation} />
      </Accordion.Panel>
    </Accordion.Item>
  );
}

/** Names those in the list; one that was deleted keeps its id. */
function InstanceSelect({ value, onChange }: { value: string | null; onChange: (id: string | null) => void }) {
  const { rows } = useInstances();
  const data = rows.map(({ id, name }) => ({ value: id, label: name })).sort((a, b) => (a.label < b.label ? -1 : 1));
  if (value && !rows.some(({ id }) => id === value)) data.push({ value, label: value });
  return (
    <Select
      aria-label="Instance"
      placeholder="Any instance"
      data={data}
      limit={100}
      value={value}
      onChange={onChange}
      searchable
      clearable
      clearButtonProps={{ 'aria-label': 'Any instance' }}
    />
  );
}

function isKind(text: string): text is OperationKind {
  return text in KINDS;
}

function isStatus(text: string): text is OperationStatus {
  return text in STATUSES;
}
