import { Button, Table, VisuallyHidden } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { usePermissions } from '../control-plane/control-plane';
import { Dialog } from '../frame/dialog';
import { Panel } from '../frame/panel';
import type { PanelProps } from '../instance/sections';
import { label } from '../lib/label';
import { CreateUserForm } from './create-form';
import { DropUserForm } from './drop-form';

/** The users of an instance that were made through the API. */
export function DatabaseUsersPanel({ instance }: PanelProps) {
  const { name, username, databaseUsers, availableOperations } = instance;
  const { operate } = usePermissions();
  const [creating, create] = useDisclosure(false);
  const [chosen, choose] = useState<string>();
  const [dropping, drop] = useDisclosure(false);
  return (
    <Panel
      title="Users"
      aside={
        operate && (
          <Button variant="default" size="xs" leftSection={<Plus size={14} aria-hidden />} disabled={!availableOperations.includes('CREATE_DATABASE_USER')} onClick={create.open}>
            New user
          </Button>
        )
      }
    >
      <Table aria-label="Users">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>Access</Table.Th>
            <Table.Th>Database</Table.Th>
            <Table.Th pos="relative">
              <VisuallyHidden>Actions</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {databaseUsers.nodes.map((user) => (
            <Table.Tr key={user.id}>
              <Table.Td>{user.name}</Table.Td>
              <Table.Td>{label(user.access)}</Table.Td>
              <Table.Td>{user.database ?? 'its own'}</Table.Td>
              <Table.Td ta="right">
                {operate && user.name !== username && (
                  <Button
                    variant="default"
                    size="xs"
                    aria-label={`Drop the user ${user.name}`}
                    onClick={() => {
                      choose(user.name);
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
      {/* A click outside must not close it, because the password is shown only once. */}
      <Dialog opened={creating} onClose={create.close} title={`New user of ${name}`} closeOnClickOutside={false}>
        <CreateUserForm instance={instance} onDone={create.close} />
      </Dialog>
      {chosen && (
        <Dialog opened={dropping} onClose={drop.close} title={`Drop the user ${chosen}?`}>
          <DropUserForm instance={instance} name={chosen} onDone={drop.close} />
        </Dialog>
      )}
    </Panel>
  );
}
