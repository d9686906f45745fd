import { Accordion, Alert, Anchor, Button, Center, Container, Group, MultiSelect, Select, Text, Title } from '@mantine/core';
import { Link, useSearchParams } from 'wouter';
import { Loading } from '../frame/loading';
import { useTitle } from '../frame/use-title';
import { type OperationCardFragment, OperationKind, OperationStatus } from '../gql/graphql';
import { useInstances } from '../instance/list';
import { label, options } from '../lib/label';
import { Ago } from '../time/ago';
import { Took } from '../time/took';
import { OperationActions } from './actions';
import { useOperations } from './list';
import classes from './list-page.module.css';
import { OperationMark } from './status';
import { Steps } from './steps';

const KINDS = Object.values(OperationKind);
const STATUSES = Object.values(OperationStatus);

/** The history of operations, live. */
export default function OperationsPage() {
  useTitle('Operations');
  const [params, setParams] = useSearchParams();
  const kind = KINDS.filter((kind) => params.getAll('kind').includes(kind));
  const status = STATUSES.filter((status) => params.getAll('status').includes(status));
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
          data={options(KINDS)}
          value={kind}
          onChange={(values) => set('kind', values)}
          clearable
          clearButtonProps={{ 'aria-label': 'Any kind' }}
        />
        <MultiSelect
          aria-label="Statuses"
          placeholder={status.length ? undefined : 'Any status'}
          data={options(STATUSES)}
          value={status}
          onChange={(values) => set('status', values)}
          clearable
          clearButtonProps={{ 'aria-label': 'Any status' }}
        />
      </search>
      {error && (
        <Alert color="red" variant="outline" title="Live updates failed" mt="md">
          {error.message}
        </Alert>
      )}
      {!operations && !error && <Loading />}
      {operations?.length === 0 && (
        <Text c="dimmed" ta="center" py="xl">
          {params.size ? 'No matching operations.' : 'No operations yet.'}
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
            {total > operations.length ? `Show more (${total - operations.length})` : 'Show more'}
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
            {label(kind)} <strong>{instance.name}</strong>
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
            Open instance
          </Anchor>
        </Group>
        <OperationActions operation={operation} />
      </Accordion.Panel>
    </Accordion.Item>
  );
}

/** Instances by name; a deleted instance is not in the list and appears by its id. */
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
