import { Alert, Anchor, Button, Center, Container, Group, MultiSelect, Select, Table, Text, Title } from '@mantine/core';
import { Link, useSearchParams } from 'wouter';
import { useColumns } from '../frame/columns';
import { ColumnsMenu } from '../frame/columns-menu';
import { Loading } from '../frame/loading';
import table from '../frame/table.module.css';
import { useTitle } from '../frame/use-title';
import { type OperationCardFragment, OperationKind, OperationStatus } from '../gql/graphql';
import { useInstances } from '../instance/list';
import { options, sentenceCase } from '../lib/label';
import { useStale } from '../live/state';
import { Ago } from '../time/ago';
import { Took } from '../time/took';
import { type ColumnId, COLUMNS } from './columns';
import { useOperations } from './list';
import classes from './list-page.module.css';
import { nameOf } from './names';
import { OperationMark } from './status';

const KINDS = Object.values(OperationKind);
const STATUSES = Object.values(OperationStatus);

/** The history of operations, live. */
export default function OperationsPage() {
  useTitle('Operations');
  const stale = useStale();
  const columns = useColumns('operations', COLUMNS);
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
    <Container size={1600} py="lg">
      <Group justify="space-between" mb="md">
        <Title order={1} size="h2">
          Operations
        </Title>
        <ColumnsMenu columns={columns} />
      </Group>
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
        <Alert color="red" variant="outline" title="Can't load the operations" mt="md">
          {sentenceCase(error.message)}
        </Alert>
      )}
      {!operations && !error && <Loading />}
      {operations?.length === 0 && (
        <Text c="dimmed" ta="center" py="xl">
          {params.size ? 'No matching operations' : 'No operations yet'}
        </Text>
      )}
      {operations && operations.length > 0 && (
        <Table className={`${table.table} ${classes.table}`} mt="md" aria-label="Operations" data-stale={stale || undefined}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Operation</Table.Th>
              {COLUMNS.filter(({ id }) => columns.shown.includes(id)).map(({ id, name }) => (
                <Table.Th key={id} className={classes[id]}>
                  {name}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {operations.map((operation) => (
              <Row key={operation.id} operation={operation} columns={columns.shown} />
            ))}
          </Table.Tbody>
        </Table>
      )}
      {more && operations && (
        <Center mt="md">
          <Button variant="default" onClick={more}>
            {total > operations.length ? `Load more (${total - operations.length})` : 'Load more'}
          </Button>
        </Center>
      )}
    </Container>
  );
}

function Row({ operation, columns }: { operation: OperationCardFragment; columns: readonly ColumnId[] }) {
  const has = (column: ColumnId) => columns.includes(column);
  const { id, status, instance, requestedBy, createdAt, finishedAt, error } = operation;
  return (
    <Table.Tr className={table.row}>
      <Table.Td>
        <Link href={`/operations/${id}`} className={table.link}>
          {nameOf(operation)}
        </Link>
        {error && (
          <span className={classes.error} title={error.message}>
            {sentenceCase(error.message)}
          </span>
        )}
      </Table.Td>
      {has('instance') && (
        <Table.Td>
          <Anchor component={Link} href={`/instances/${instance.id}`} size="sm" className={classes.name} title={instance.name}>
            {instance.name}
          </Anchor>
        </Table.Td>
      )}
      {has('status') && (
        <Table.Td>
          <OperationMark status={status} />
        </Table.Td>
      )}
      {has('requestedBy') && <Table.Td>{requestedBy ?? '—'}</Table.Td>}
      {has('requested') && (
        <Table.Td>
          <Ago at={createdAt} suffix=" ago" />
        </Table.Td>
      )}
      {has('duration') && (
        <Table.Td>
          <span className="digits">
            <Took from={createdAt} to={finishedAt} />
          </span>
        </Table.Td>
      )}
    </Table.Tr>
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
