import { memo } from 'react';
import { Link } from 'wouter';
import { Ago } from '../time/ago';
import { labelText } from './label-text';
import type { InstanceRow } from './list';
import { cpu, memory, storage } from './size';
import { StatusBadge } from './status-badge';
import classes from './table.module.css';

/** All rows have the same height, so that the table needs no measuring. */
export const ROW_HEIGHT = 56;

interface Props {
  row: InstanceRow;
  index: number;
  /** Filters the list by a label. */
  onLabel: (label: string) => void;
}

/** Plain elements instead of components: many are mounted while the table is scrolled. */
export const Row = memo(function Row({ row, index, onLabel }: Props) {
  const { id, name, endpoint, postgresVersion, labels, createdAt } = row;
  const remark = row.reason?.message ?? row.notices[0]?.message;
  return (
    <tr className={classes.row} aria-rowindex={index + 2} style={{ height: ROW_HEIGHT }}>
      <td className={classes.name}>
        <Link href={`/instances/${id}`} className={classes.link} title={name}>
          {name}
        </Link>
        <span className={classes.second} title={remark}>
          {remark ??
            labels.map(labelText).map((label) => (
              // With the keyboard, labels are typed into the search.
              <button key={label} type="button" tabIndex={-1} className={classes.label} title={`Show all with ${label}`} onClick={() => onLabel(label)}>
                {label}
              </button>
            ))}
        </span>
      </td>
      <td className={classes.status}>
        <StatusBadge instance={row} />
      </td>
      <td className={classes.endpoint}>
        {endpoint && (
          <code title={`${endpoint.host}:${endpoint.port}`}>
            <span className={classes.host}>{endpoint.host}</span>:{endpoint.port}
          </code>
        )}
      </td>
      <td className={classes.version}>{postgresVersion}</td>
      <td className={classes.size}>
        {storage(row.storageGb)}
        <span className={classes.second}>
          {cpu(row.cpuMillis)}, {memory(row.memoryMb)}
        </span>
      </td>
      <td className={classes.age}>
        <Ago at={createdAt} />
      </td>
    </tr>
  );
});
