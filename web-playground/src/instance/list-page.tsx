import { Alert, Button, Container, Group, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Plus } from 'lucide-react';
import { useDeferredValue, useMemo, useState } from 'react';
import { usePermissions } from '../control-plane/control-plane';
import { Loading } from '../frame/loading';
import { useTitle } from '../frame/use-title';
import { CreateDialog } from './create-dialog';
import { EmptyList } from './empty-list';
import { isEmpty, type Order, select } from './filter';
import { FilterBar } from './filter-bar';
import { useInstances } from './list';
import { InstanceTable } from './table';
import { useFilter } from './use-filter';

/** All instances, live. */
export default function InstancesPage() {
  useTitle('Instances');
  const { rows, loaded, error } = useInstances();
  const { operate } = usePermissions();
  const [filter, setFilter] = useFilter();
  const [order, setOrder] = useState<Order>({ field: 'age', descending: false });
  const [creating, create] = useDisclosure(false);
  // Deferred, so that typing does not wait for the rendering of many rows.
  const wanted = useDeferredValue(filter);
  const shown = useMemo(() => select(rows, wanted, order), [rows, wanted, order]);

  return (
    <Container size="xl" py="lg">
      <Group justify="space-between" mb="md">
        <Title order={1} size="h2">
          Instances
        </Title>
        {operate && rows.length > 0 && (
          <Button leftSection={<Plus size={17} aria-hidden />} onClick={create.open}>
            New instance
          </Button>
        )}
      </Group>
      {error && (
        <Alert color="red" variant="outline" title="Live updates failed" mb="md">
          {error.message}
        </Alert>
      )}
      {!loaded && !error && <Loading />}
      {loaded && rows.length === 0 && <EmptyList onCreate={create.open} />}
      {rows.length > 0 && (
        <>
          <FilterBar filter={filter} onChange={setFilter} />
          <Text size="sm" c="dimmed" my="xs" role="status" className="digits">
            {isEmpty(wanted) ? `${rows.length} ${rows.length === 1 ? 'instance' : 'instances'}` : `${shown.length} of ${rows.length} instances`}
          </Text>
          <InstanceTable rows={shown} order={order} onOrder={setOrder} />
        </>
      )}
      <CreateDialog opened={creating} onClose={create.close} />
    </Container>
  );
}
