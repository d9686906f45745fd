import { Table, Text, UnstyledButton } from '@mantine/core';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { useLayoutEffect, useRef, useState } from 'react';
import { useStale } from '../live/state';
import type { Order, SortField } from './filter';
import type { InstanceRow } from './list';
import { Row, ROW_HEIGHT } from './row';
import classes from './table.module.css';

/** A column without a field is not sortable. */
const COLUMNS: { field?: SortField; name: string }[] = [
  { field: 'name', name: 'Name' },
  { field: 'status', name: 'Status' },
  { name: 'Endpoint' },
  { field: 'version', name: 'Version' },
  { field: 'size', name: 'Size' },
  { field: 'age', name: 'Age' },
];

interface Props {
  rows: readonly InstanceRow[];
  order: Order;
  onOrder: (order: Order) => void;
  /** Filters the list by a label. */
  onLabel: (label: string) => void;
}

/** Only visible rows are in the document; `aria-row*` tells screen readers the number of all. */
export function InstanceTable({ rows, order, onOrder, onLabel }: Props) {
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
  const first = items[0];
  const last = items.at(-1);
  const above = first ? first.start - top : 0;
  const below = last ? virtual.getTotalSize() - (last.end - top) : 0;

  return (
    <>
      <Table className={classes.table} data-stale={stale || undefined} aria-label="Instances" aria-rowcount={rows.length + 1} stickyHeader stickyHeaderOffset={52}>
        <Table.Thead>
          <Table.Tr aria-rowindex={1}>
            {COLUMNS.map(({ field, name }) =>
              field ? (
                <Heading key={name} field={field} name={name} order={order} onOrder={onOrder} />
              ) : (
                <Table.Th key={name} className={classes.endpoint}>
                  {name}
                </Table.Th>
              ),
            )}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody ref={body}>
          {above > 0 && <Spacer height={above} />}
          {items.map(({ index, key }) => {
            const row = rows[index];
            return row && <Row key={key} row={row} index={index} onLabel={onLabel} />;
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
