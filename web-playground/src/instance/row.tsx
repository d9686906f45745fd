import { Table } from '@mantine/core';
import { memo } from 'react';
import { Link } from 'wouter';
import { Ago } from '../time/ago';
import type { InstanceRow } from './list';
import { cores, memory, storage } from './size';
import { HealthStatusMark, StateStatus } from './status';
import classes from './table.module.css';

/** Rows are all of one height, so that the table knows its length without measuring them. */
export const ROW_HEIGHT = 56;

export const Row = memo(function Row({ row, index }: { row: InstanceRow; index: number }) {
  const { id, name, state, health, reason, postgresVersion, labels, createdAt } = row;
  return (
    <Table.Tr className={classes.row} aria-rowindex={index + 2} style={{ height: ROW_HEIGHT }}>
      <Table.Td className={classes.name}>
        <Link href={`/instances/${id}`} className={classes.link}>
          {name}
        </Link>
        <span className={classes.second} title={reason?.message}>
          {reason ? reason.message : labels.map(({ key, value }) => (value ? `${key}=${value}` : key)).join(' · ')}
        </span>
      </Table.Td>
      <Table.Td className={classes.state}>
        <StateStatus state={state} />
      </Table.Td>
      <Table.Td className={classes.health}>
        <HealthStatusMark health={health} />
      </Table.Td>
      <Table.Td className={classes.version}>{postgresVersion}</Table.Td>
      <Table.Td className={classes.size}>
        {storage(row.storageGb)}
        <span className={classes.second}>
          {cores(row.cpuMillis)}, {memory(row.memoryMb)}
        </span>
      </Table.Td>
      <Table.Td className={classes.age}>
        <Ago at={createdAt} />
      </Table.Td>
    </Table.Tr>
  );
});
