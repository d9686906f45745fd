import { Alert, Button, Container, Group, Switch, Text, Title, VisuallyHidden } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { Plus } from 'lucide-react';
import { useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { usePermissions } from '../control-plane/control-plane';
import { useColumns } from '../frame/columns';
import { ColumnsMenu } from '../frame/columns-menu';
import { Loading } from '../frame/loading';
import { useTitle } from '../frame/use-title';
import { sentenceCase } from '../lib/label';
import { type Started, ActionDialog } from './action-dialog';
import { BulkBar } from './bulk-bar';
import { COLUMNS } from './columns';
import { CreateDialog, openCreateDialog } from './create-dialog';
import { useDeletedInstances } from './deleted';
import { EmptyList } from './empty-list';
import { isEmpty, select } from './filter';
import { FilterBar } from './filter-bar';
import { useInstances } from './list';
import type { RowHandlers } from './row';
import type { BulkAction } from './row-actions';
import { add, extend, extent, NOTHING, remove, toggle } from './selection';
import { InstanceTable } from './table';
import { useFilter } from './use-filter';

/** As high as the bar of the selection on a phone, with a margin. */
const BAR_HEIGHT = 128;

/** All instances, live. */
export default function InstancesPage() {
  useTitle('Instances');
  const { rows, loaded, error } = useInstances();
  const { operate } = usePermissions();
  const [{ filter, order }, change] = useFilter();
  const deleted = useDeletedInstances(filter.deleted);
  const showDeleted = (deleted: boolean) => change({ filter: { ...filter, deleted, statuses: filter.statuses.filter((status) => status !== 'DELETED') } });
  // Deferred, so that typing does not wait for the rendering of many rows.
  const wanted = useDeferredValue(filter);
  const all = useMemo(() => (deleted.rows.length ? [...rows, ...deleted.rows] : rows), [rows, deleted.rows]);
  const { rows: shown, counts } = useMemo(() => select(all, wanted, order), [all, wanted, order]);
  const search = useRef<HTMLInputElement>(null);
  useHotkeys([['/', () => search.current?.focus()]]);
  const columns = useColumns('instances', COLUMNS);

  const [selection, setSelection] = useState(NOTHING);
  const [started, start] = useState<Started>();
  // Instances that are deleted meanwhile are no longer selected.
  const selected = useMemo(() => (operate ? rows.filter(({ id }) => selection.ids.has(id)) : []), [operate, rows, selection]);
  const selectable = useMemo(() => shown.filter(({ state }) => state !== 'DELETED').map(({ id }) => id), [shown]);
  const hidden = selected.length - selectable.filter((id) => selection.ids.has(id)).length;
  const startBulk = (action: BulkAction) => start({ action, rows: selected });

  const latest = useRef({ filter, change, selectable, selected, startBulk });
  useEffect(() => {
    latest.current = { filter, change, selectable, selected, startBulk };
  });
  const [handlers] = useState<RowHandlers>(() => ({
    label: (label) => latest.current.change({ filter: { ...latest.current.filter, text: label } }),
    select: (id, range) => setSelection((selection) => (range ? extend(selection, id, latest.current.selectable) : toggle(selection, id))),
    start: (row, action) => start({ action, row }),
    startBulk: (action) => latest.current.startBulk(action),
    selectedCount: () => latest.current.selected.length,
  }));

  return (
    // The bar of the selection hides no row.
    <Container size={1600} pt="lg" pb={selected.length ? BAR_HEIGHT : 'lg'}>
      <Group justify="space-between" mb="md">
        <Title order={1} size="h2">
          Instances
        </Title>
        {operate && rows.length > 0 && (
          <Button leftSection={<Plus size={17} aria-hidden />} onClick={openCreateDialog}>
            Create instance
          </Button>
        )}
      </Group>
      {[error, deleted.error].map(
        (error) =>
          error && (
            <Alert key={error.message} color="red" variant="outline" title="Can't load the instances" mb="md">
              {sentenceCase(error.message)}
            </Alert>
          ),
      )}
      {!loaded && !error && <Loading />}
      {loaded && all.length === 0 && !filter.deleted && <EmptyList onCreate={openCreateDialog} onShowDeleted={() => showDeleted(true)} />}
      {(all.length > 0 || filter.deleted) && (
        <>
          <FilterBar search={search} filter={filter} counts={counts} onChange={(filter) => change({ filter })} />
          <Group justify="space-between" my="xs" gap="xs">
            <Text size="sm" c="dimmed" role="status" className="digits">
              {isEmpty(wanted) ? `${all.length} ${all.length === 1 ? 'instance' : 'instances'}` : `${shown.length} of ${all.length} instances`}
              {selected.length > 0 && <VisuallyHidden>, {selected.length} selected</VisuallyHidden>}
            </Text>
            <Group gap="md">
              <ColumnsMenu columns={columns} />
              <Switch size="sm" label="Show deleted" checked={filter.deleted} onChange={(event) => showDeleted(event.currentTarget.checked)} />
            </Group>
          </Group>
          {selected.length > 0 && <BulkBar count={selected.length} hidden={hidden} onAction={startBulk} onClear={() => setSelection(NOTHING)} />}
          <InstanceTable
            rows={shown}
            columns={columns.shown}
            order={order}
            onOrder={(order) => change({ order })}
            editable={operate}
            selected={selection.ids}
            extent={extent(selection, selectable)}
            onSelectAll={(all) => setSelection((selection) => (all ? add : remove)(selection, selectable))}
            onExtend={(ids) => setSelection((selection) => add(selection, ids))}
            onSelectNone={() => setSelection(NOTHING)}
            handlers={handlers}
          />
        </>
      )}
      <ActionDialog started={started} rows={rows} onAccepted={(id) => setSelection((selection) => remove(selection, [id]))} />
      <CreateDialog />
    </Container>
  );
}
