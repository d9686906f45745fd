import { memo, useEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import shared from '../frame/table.module.css';
import { Sparkline } from '../metrics/sparkline';
import type { Sparkline as Points } from '../metrics/sparklines';
import { Ago } from '../time/ago';
import type { ColumnId } from './columns';
import { labelText } from './label-text';
import type { InstanceRow } from './list';
import type { BulkAction, RowAction } from './row-actions';
import { MenuButton, RowMenu } from './row-menu';
import { cpu, memory, storage } from './size';
import { StatusBadge } from './status-badge';
import classes from './table.module.css';

/** All rows have the same height, so that the table needs no measuring. */
export const ROW_HEIGHT = 56;

/** Always the same object, so that rows are not rendered again. */
export interface RowHandlers {
  /** Filters the list by a label. */
  label: (label: string) => void;
  /** Selects or deselects an instance, or the range to it. */
  select: (id: string, range: boolean) => void;
  start: (row: InstanceRow, action: RowAction) => void;
  startBulk: (action: BulkAction) => void;
  selectedCount: () => number;
}

interface Props {
  row: InstanceRow;
  index: number;
  columns: readonly ColumnId[];
  /** Without it, the caller may change nothing. */
  editable: boolean;
  selected: boolean;
  sparkline?: Points;
  handlers: RowHandlers;
}

/** Plain elements instead of components: many are mounted while the table is scrolled. */
export const Row = memo(function Row({ row, index, columns, editable, selected, sparkline, handlers }: Props) {
  const { id, name, endpoint, postgresVersion, labels, createdAt } = row;
  const remark = row.reason?.message ?? row.notices[0]?.message;
  const has = (column: ColumnId) => columns.includes(column);
  const changeable = row.state !== 'DELETED';
  return (
    <tr className={`${shared.row} ${classes.row}`} data-selected={selected || undefined} aria-rowindex={index + 2} style={{ height: ROW_HEIGHT }}>
      {editable && (
        // The whole cell, because the box alone is a small target.
        <td className={classes.select} onClick={(event) => event.target === event.currentTarget && changeable && handlers.select(id, event.shiftKey)}>
          {changeable && (
            <input
              type="checkbox"
              aria-label={`Select ${name}`}
              data-cell="select"
              checked={selected}
              onChange={({ nativeEvent }) => handlers.select(id, nativeEvent instanceof MouseEvent && nativeEvent.shiftKey)}
            />
          )}
        </td>
      )}
      <td className={classes.name}>
        <Link href={`/instances/${id}`} className={`${shared.link} ${classes.link}`} title={name} data-cell="name">
          {name}
        </Link>
        <span className={classes.second} title={remark}>
          {remark ??
            labels.map(labelText).map((label) => (
              // With the keyboard, labels are typed into the search.
              <button key={label} type="button" tabIndex={-1} className={classes.label} title={`Show all with ${label}`} onClick={() => handlers.label(label)}>
                {label}
              </button>
            ))}
        </span>
      </td>
      {has('status') && (
        <td className={classes.status}>
          <StatusBadge instance={row} />
        </td>
      )}
      {has('endpoint') && (
        <td className={classes.endpoint}>
          {endpoint && (
            <code title={`${endpoint.host}:${endpoint.port}`}>
              <span className={classes.host}>{endpoint.host}</span>:{endpoint.port}
            </code>
          )}
        </td>
      )}
      {has('version') && <td className={classes.version}>{postgresVersion}</td>}
      {has('size') && (
        <td className={classes.size}>
          {storage(row.storageGb)}
          <span className={classes.second}>
            {cpu(row.cpuMillis)}, {memory(row.memoryMb)}
          </span>
        </td>
      )}
      {has('transactions') && <td className={classes.transactions}>{sparkline && <Sparkline sparkline={sparkline} className={classes.sparkline} />}</td>}
      {has('age') && (
        <td className={classes.age}>
          <Ago at={createdAt} />
        </td>
      )}
      {editable && <td className={classes.actions}>{changeable && <Actions row={row} selected={selected} handlers={handlers} />}</td>}
    </tr>
  );
});

function Actions({ row, selected, handlers }: Pick<Props, 'row' | 'selected' | 'handlers'>) {
  const [opened, setOpened] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const closed = useRef(false);
  // The button of the open menu is another element.
  useEffect(() => {
    if (!opened && closed.current) button.current?.focus();
  }, [opened]);
  const close = () => {
    closed.current = true;
    setOpened(false);
  };
  if (!opened) return <MenuButton ref={button} aria-label={`Actions for ${row.name}`} onClick={() => setOpened(true)} />;
  return (
    <RowMenu
      row={row}
      selected={selected ? handlers.selectedCount() : 0}
      onAction={(action) => handlers.start(row, action)}
      onBulkAction={handlers.startBulk}
      onClose={close}
    />
  );
}
