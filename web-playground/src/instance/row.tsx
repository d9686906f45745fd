import { memo } from 'react';
import { Link } from 'wouter';
import { Ago } from '../time/ago';
import type { InstanceRow } from './list';
import { cores, memory, storage } from './size';
import { HealthMark, StateMark } from './status';
import classes from './table.module.css';

/** All rows have the same height, so that the table needs no measuring. */
export const ROW_HEIGHT = 56;

/** Plain elements instead of components: many are mounted while the table is scrolled. */
export const Row = memo(function Row({ row, index }: { row: InstanceRow; index: number }) {
  const { id, name, state, health, endpoint, postgresVersion, labels, createdAt } = row;
  const remark = row.reason?.message ?? row.notices[0]?.message;
  return (
    <tr className={classes.row} aria-rowindex={index + 2} style={{ height: ROW_HEIGHT }}>
      <td className={classes.name}>
        <Link href={`/instances/${id}`} className={classes.link}>
          {name}
        </Link>
        <span className={classes.second} title={remark}>
          {remark ?? labels.map(({ key, value }) => (value ? `${key}=${value}` : key)).join(' · ')}
        </span>
      </td>
      <td className={classes.state}>
        <StateMark state={state} />
      </td>
      <td className={classes.health}>
        <HealthMark health={health} />
      </td>
      <td className={classes.endpoint}>{endpoint && <code title={`${endpoint.host}:${endpoint.port}`}>{`${endpoint.host}:${endpoint.port}`}</code>}</td>
      <td className={classes.version}>{postgresVersion}</td>
      <td className={classes.size}>
        {storage(row.storageGb)}
        <span className={classes.second}>
          {cores(row.cpuMillis)}, {memory(row.memoryMb)}
        </span>
      </td>
      <td className={classes.age}>
        <Ago at={createdAt} />
      </td>
    </tr>
  );
});
