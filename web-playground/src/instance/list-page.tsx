import { Alert, Button, Container, Group, Switch, Text, Title } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { Plus } from 'lucide-react';
import { useCallback, useDeferredValue, useEffect, useMemo, useRef } from 'react';
import { usePermissions } from '../control-plane/control-plane';
import { Loading } from '../frame/loading';
import { useTitle } from '../frame/use-title';
import { sentenceCase } from '../lib/label';
import { CreateDialog, openCreateDialog } from './create-dialog';
import { useDeletedInstances } from './deleted';
import { EmptyList } from './empty-list';
import { isEmpty, select } from './filter';
import { FilterBar } from './filter-bar';
import { useInstances } from './list';
import { InstanceTable } from './table';
import { useFilter } from './use-filter';

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
  const latest = useRef({ filter, change });
  useEffect(() => {
    latest.current = { filter, change };
  });
  // Always the same function, so that rows are not rendered again.
  const byLabel = useCallback((label: string) => latest.current.change({ filter: { ...latest.current.filter, text: label } }), []);

  return (
    <Container size={1600} py="lg">
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
          <Group justify="space-between" my="xs">
            <Text size="sm" c="dimmed" role="status" className="digits">
              {isEmpty(wanted) ? `${all.length} ${all.length === 1 ? 'instance' : 'instances'}` : `${shown.length} of ${all.length} instances`}
            </Text>
            <Switch size="sm" label="Show deleted" checked={filter.deleted} onChange={(event) => showDeleted(event.currentTarget.checked)} />
          </Group>
          <InstanceTable rows={shown} order={order} onOrder={(order) => change({ order })} onLabel={byLabel} />
        </>
      )}
      <CreateDialog />
    </Container>
  );
}
