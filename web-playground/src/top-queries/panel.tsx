import { ActionIcon, Alert, Group, Progress, Select, Table, Text } from '@mantine/core';
import { useInViewport } from '@mantine/hooks';
import { RotateCw } from 'lucide-react';
import { useState } from 'react';
import classes from '../activity/panel.module.css';
import { Loading } from '../frame/loading';
import { Panel } from '../frame/panel';
import { TopQueryOrder } from '../gql/graphql';
import type { PanelProps } from '../instance/sections';
import { bytes } from '../instance/size';
import { sentenceCase } from '../lib/label';
import { Ago } from '../time/ago';
import { count, identity, time, type TopQuery, useTopQueries } from './queries';

const ORDERS: Record<TopQueryOrder, string> = { TOTAL_TIME: 'Total time', MEAN_TIME: 'Mean time', CALLS: 'Calls', ROWS: 'Rows', IO: 'Input and output' };

/** The statements that have cost an instance most since its statistics were reset. */
export default function TopQueriesPanel({ instance: { id: instanceId } }: PanelProps) {
  const { ref, inViewport } = useInViewport();
  const [order, setOrder] = useState<TopQueryOrder>('TOTAL_TIME');
  const { data, error, refetch, isFetching } = useTopQueries(instanceId, order, inViewport);
  return (
    <div ref={ref}>
      <Panel
        title="Top queries"
        aside={
          <Group gap="xs">
            <Select
              size="xs"
              w={150}
              aria-label="Order of the queries"
              data={Object.values(TopQueryOrder).map((value) => ({ value, label: ORDERS[value] }))}
              value={order}
              allowDeselect={false}
              onChange={(value) => setOrder(value ?? order)}
            />
            <ActionIcon variant="default" size={30} aria-label="Read the queries again" loading={isFetching} onClick={() => void refetch()}>
              <RotateCw size={15} aria-hidden />
            </ActionIcon>
          </Group>
        }
      >
        {error && <Text className="error">{error.message}</Text>}
        {!data && !error && <Loading />}
        {data?.reason && (
          <Alert color="gray" variant="outline" p="xs" role="status">
            {sentenceCase(data.reason.message)}
          </Alert>
        )}
        {data && !data.reason && (
          <>
            {data.queries.length ? <Queries queries={data.queries} /> : <Text size="sm" c="dimmed">No statements yet</Text>}
            {data.since && (
              <Text size="sm" c="dimmed" mt="xs">
                Counted since <Ago at={data.since} suffix=" ago" />
                {data.evictions !== '0' && `; statements that are executed least were dropped ${data.evictions} times`}
              </Text>
            )}
          </>
        )}
      </Panel>
    </div>
  );
}

function Queries({ queries }: { queries: readonly TopQuery[] }) {
  return (
    <Table.ScrollContainer minWidth={640} mah={420} type="native" tabIndex={0} role="group" aria-label="Top queries, scrollable">
      <Table aria-label="Top queries" className={classes.table}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Query</Table.Th>
            <Table.Th>Share</Table.Th>
            <Table.Th ta="right">Total</Table.Th>
            <Table.Th ta="right">Mean</Table.Th>
            <Table.Th ta="right">Calls</Table.Th>
            <Table.Th ta="right">Rows</Table.Th>
            <Table.Th ta="right">I/O</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {queries.map((query, index) => (
            <Row key={identity(query, index)} query={query} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Row({ query: { text, username, database, timeShare, totalTimeMs, meanTimeMs, calls, rows, ioBytes } }: { query: TopQuery }) {
  const percent = timeShare * 100;
  return (
    <Table.Tr>
      <Table.Td className={classes.top}>
        <code className={classes.statement} title={text}>
          {text}
        </code>
        <Text size="xs" c="dimmed">
          {username ?? 'a role that was dropped'} · {database ?? 'a database that was dropped'}
        </Text>
      </Table.Td>
      <Table.Td className={classes.top} w={90}>
        <span className="digits">{percent.toFixed(1)}%</span>
        <Progress value={percent} size="xs" aria-hidden />
      </Table.Td>
      {[time(totalTimeMs), time(meanTimeMs), count(calls), count(rows), bytes(ioBytes)].map((value, index) => (
        // The columns are fixed.
        <Table.Td key={index} className={classes.top} ta="right">
          <span className="digits">{value}</span>
        </Table.Td>
      ))}
    </Table.Tr>
  );
}
