import { Button, Table, VisuallyHidden } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { usePermissions } from '../control-plane/control-plane';
import { Dialog } from '../frame/dialog';
import { Panel } from '../frame/panel';
import type { PanelProps } from '../instance/sections';
import { CreateDatabaseForm } from './create-form';
import { DropDatabaseForm } from './drop-form';

/** The databases of an instance that were made through the API. */
export function DatabasesPanel({ instance }: PanelProps) {
  const { name, database: first, databases, availableOperations } = instance;
  const { operate } = usePermissions();
  const [creating, create] = useDisclosure(false);
  const [chosen, choose] = useState<string>();
  const [dropping, drop] = useDisclosure(false);
  return (
    <Panel
      title="Databases"
      aside={
        operate && (
          <Button variant="default" size="xs" leftSection={<Plus size={14} aria-hidden />} disabled={!availableOperations.includes('CREATE_DATABASE')} onClick={create.open}>
            New database
          </Button>
        )
      }
    >
      <Table aria-label="Databases">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>Owner</Table.Th>
            <Table.Th pos="relative">
              <VisuallyHidden>Actions</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {databases.nodes.map((database) => (
            <Table.Tr key={database.id}>
              <Table.Td>{database.name}</Table.Td>
              <Table.Td>{database.owner}</Table.Td>
              <Table.Td ta="right">
                {operate && database.name !== first && (
                  <Button
                    variant="default"
                    size="xs"
                    aria-label={`Drop the database ${database.name}`}
                    onClick={() => {
                      choose(database.name);
                      drop.open();
                    }}
                  >
                    Drop
                  </Button>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Dialog opened={creating} onClose={create.close} title={`New database in ${name}`}>
        <CreateDatabaseForm instance={instance} onDone={create.close} />
      </Dialog>
      {chosen && (
        <Dialog opened={dropping} onClose={drop.close} title={`Drop the database ${chosen}?`}>
          <DropDatabaseForm instance={instance} name={chosen} onDone={drop.close} />
        </Dialog>
      )}
    </Panel>
  );
}
