import { Table, Text, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { type KeyboardEvent, useLayoutEffect, useRef, useState } from 'react';
import shared from '../frame/table.module.css';
import { useStale } from '../live/state';
import { useSparklines } from '../metrics/sparklines';
import { type ColumnId, COLUMNS } from './columns';
import type { Order, SortField } from './filter';
import type { InstanceRow } from './list';
import { Row, ROW_HEIGHT, type RowHandlers } from './row';
import type { extent } from './selection';
import classes from './table.module.css';

interface Props {
  rows: readonly InstanceRow[];
  columns: readonly ColumnId[];
  order: Order;
  onOrder: (order: Order) => void;
  /** Without it, the caller may change nothing. */
  editable: boolean;
  selected: ReadonlySet<string>;
  /** How much of what is shown is selected. */
  extent: ReturnType<typeof extent>;
  /** Selects everything that is shown, or nothing of it. */
  onSelectAll: (selected: boolean) => void;
  /** With the arrow keys and Shift: both rows become selected. */
  onExtend: (ids: string[]) => void;
  onSelectNone: () => void;
  handlers: RowHandlers;
}

/** Only visible rows are in the document; `aria-row*` tells screen readers the number of all. */
export function InstanceTable({ rows, columns, order, onOrder, editable, selected, extent, onSelectAll, onExtend, onSelectNone, handlers }: Props) {
  const stale = useStale();
  const body = useRef<HTMLTableSectionElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => setTop((body.current?.getBoundingClientRect().top ?? 0) + window.scrollY), []);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => rows[index]?.id ?? index,
    overscan: 8,
    scrollMargin: top,
  });
  const items = virtual.getVirtualItems();
  const sparklines = useSparklines(columns.includes('transactions') ? items.flatMap(({ index }) => rows[index]?.id ?? []) : NOBODY);
  const first = items[0];
  const last = items.at(-1);
  const above = first ? first.start - top : 0;
  const below = last ? virtual.getTotalSize() - (last.end - top) : 0;

  /** The rows of the keyboard: up and down keep the column, and with Shift select what they pass. */
  function onKey(event: KeyboardEvent): void {
    const cell = (event.target as HTMLElement).dataset.cell;
    // Not from a menu, whose events arrive here as well.
    if (!cell || !body.current?.contains(event.target as Node) || event.altKey || event.ctrlKey || event.metaKey) return;
    const index = Number((event.target as HTMLElement).closest('tr')?.ariaRowIndex) - 2;
    const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: rows.length - 1 }[event.key];
    const [from, to] = [rows[index], next === undefined ? undefined : rows[next]];
    if (event.key === 'Escape' && selected.size) onSelectNone();
    else if (next !== undefined && from && to) {
      if (event.shiftKey && editable && event.key.startsWith('Arrow')) onExtend([from, to].filter(({ state }) => state !== 'DELETED').map(({ id }) => id));
      virtual.scrollToIndex(next);
      focusCell(body.current, next, cell);
    } else return;
    event.preventDefault();
  }

  return (
    <>
      <Table
        className={`${shared.table} ${classes.table}`}
        data-stale={stale || undefined}
        aria-label="Instances"
        aria-rowcount={rows.length + 1}
        // Its cells have borders.
        withRowBorders={false}
        stickyHeader
        stickyHeaderOffset={52}
      >
        <Table.Thead>
          <Table.Tr aria-rowindex={1}>
            {editable && (
              <Table.Th className={classes.select}>
                <input
                  type="checkbox"
                  aria-label="Select all that are shown"
                  data-select-all
                  title="Select all that are shown. Shift selects a range."
                  checked={extent === 'all'}
                  ref={(box) => {
                    if (box) box.indeterminate = extent === 'some';
                  }}
                  onChange={() => onSelectAll(extent !== 'all')}
                />
              </Table.Th>
            )}
            <Heading field="name" name="Name" order={order} onOrder={onOrder} />
            {COLUMNS.filter(({ id }) => columns.includes(id)).map(({ id, field, name }) =>
              field ? (
                <Heading key={id} field={field} name={name} order={order} onOrder={onOrder} />
              ) : (
                <Table.Th key={id} className={classes[id]}>
                  {name}
                </Table.Th>
              ),
            )}
            {editable && (
              <Table.Th className={classes.actions}>
                <VisuallyHidden>Actions</VisuallyHidden>
              </Table.Th>
            )}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody ref={body} onKeyDown={onKey}>
          {above > 0 && <Spacer height={above} />}
          {items.map(({ index, key }) => {
            const row = rows[index];
            return row && <Row key={key} row={row} index={index} columns={columns} editable={editable} selected={selected.has(row.id)} sparkline={sparklines.get(row.id)} handlers={handlers} />;
          })}
          {below > 0 && <Spacer height={below} />}
        </Table.Tbody>
      </Table>
      {rows.length === 0 && (
        <Text c="dimmed" ta="center" py="xl">
          No matching instances.
        </Text>
      )}
    </>
  );
}

const NOBODY: readonly string[] = [];

/** The focus goes on at the table, after what had it is gone. */
export function focusTable(): void {
  const table = document.querySelector<HTMLElement>('[data-select-all]');
  if (document.activeElement === document.body) table?.focus();
}

/** As long as a row takes to be rendered that was scrolled to. */
const FRAMES = 30;

/** Moves the focus to a cell of a row, as soon as that is in the document. */
function focusCell(body: HTMLElement, index: number, cell: string, frames = FRAMES): void {
  const found = body.querySelector<HTMLElement>(`[aria-rowindex="${index + 2}"] [data-cell="${cell}"]`);
  if (found) found.focus();
  else if (frames > 0) requestAnimationFrame(() => focusCell(body, index, cell, frames - 1));
}

function Heading({ field, name, order, onOrder }: { field: SortField; name: string; order: Order; onOrder: (order: Order) => void }) {
  const chosen = order.field === field;
  const Arrow = order.descending && chosen ? ArrowDown : ArrowUp;
  return (
    <Table.Th className={classes[field]} aria-sort={chosen ? (order.descending ? 'descending' : 'ascending') : undefined}>
      <UnstyledButton className={classes.sort} onClick={() => onOrder({ field, descending: chosen && !order.descending })}>
        {name}
        <Arrow size={14} aria-hidden className={classes.arrow} data-chosen={chosen || undefined} />
      </UnstyledButton>
    </Table.Th>
  );
}

/** As high as the rows that are not in the document. A cell across all columns would give those a width that a narrow screen hides. */
function Spacer({ height }: { height: number }) {
  return (
    <tr aria-hidden style={{ height }}>
      <td className={classes.spacer} />
    </tr>
  );
}
