import { ActionIcon, Alert, Button, Container, Group, Menu, Table, Text, Title, VisuallyHidden } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Ellipsis, KeyRound, Pause, Pencil, Play, Plus, Trash2 } from 'lucide-react';
import { type ComponentType, useState } from 'react';
import { usePermissions } from '../control-plane/control-plane';
import { Loading } from '../frame/loading';
import { StatusMark } from '../frame/status-mark';
import table from '../frame/table.module.css';
import { useTitle } from '../frame/use-title';
import type { WebhookRowFragment } from '../gql/graphql';
import { useMutate } from '../lib/use-mutate';
import { Ago } from '../time/ago';
import { CreateWebhookDialog } from './create-dialog';
import { DeleteWebhookDialog } from './delete-dialog';
import { EditWebhookDialog } from './edit-dialog';
import { useWebhooks } from './list';
import classes from './list-page.module.css';
import { RotateSecretDialog } from './rotate-dialog';
import { EVENT_TYPES, WEBHOOK_STATUSES, webhookStatus } from './state';
import { TestWebhookDialog } from './test-dialog';
import { UPDATE } from './update';

/** The webhooks, for administrators. */
export default function WebhooksPage() {
  useTitle('Webhooks');
  const { hook } = usePermissions();
  return (
    <Container size="xl" py="lg">
      {hook ? (
        <Webhooks />
      ) : (
        <Text c="dimmed" ta="center" py="xl">
          Webhooks are visible with the role Admin.
        </Text>
      )}
    </Container>
  );
}

type WebhookDialog = ComponentType<{ webhook: WebhookRowFragment; opened: boolean; onClose: () => void }>;

function Webhooks() {
  const { webhooks, error } = useWebhooks();
  const [creating, create] = useDisclosure(false);
  const [chosen, choose] = useState<{ id: string; Dialog: WebhookDialog }>();
  const [opened, dialog] = useDisclosure(false);
  const update = useMutate(UPDATE);
  const webhook = webhooks?.find(({ id }) => id === chosen?.id);
  const failure = error ?? update.error;

  return (
    <>
      <Group justify="space-between" mb="xs">
        <Title order={1} size="h2">
          Webhooks
        </Title>
        <Button leftSection={<Plus size={17} aria-hidden />} onClick={create.open}>
          Create webhook
        </Button>
      </Group>
      <Text c="dimmed" size="sm" mb="md">
        A webhook sends the events of instances to a URL, signed and in order. What cannot be delivered is sent again for a day.
      </Text>
      {failure && (
        <Alert color="red" variant="outline" title={error ? 'The webhooks could not be loaded' : 'The webhook could not be changed'} mb="md" role="alert">
          {failure.message}
        </Alert>
      )}
      {!webhooks && !error && <Loading />}
      {webhooks && (
        <Table className={table.table} aria-label="Webhooks">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>URL</Table.Th>
              <Table.Th>State</Table.Th>
              <Table.Th className={table.wide}>Events</Table.Th>
              <Table.Th className={table.wide}>Pending</Table.Th>
              <Table.Th className={table.wide}>Last delivered</Table.Th>
              <Table.Th pos="relative">
                <VisuallyHidden>Actions</VisuallyHidden>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {webhooks.map((webhook) => (
              <Row
                key={webhook.id}
                webhook={webhook}
                show={(Dialog) => {
                  choose({ id: webhook.id, Dialog });
                  dialog.open();
                }}
                setState={(state) => update.mutate({ id: webhook.id, state })}
              />
            ))}
          </Table.Tbody>
        </Table>
      )}
      {webhooks?.length === 0 && (
        <Text c="dimmed" ta="center" py="xl">
          No webhooks
        </Text>
      )}
      <CreateWebhookDialog opened={creating} onClose={create.close} />
      {chosen && webhook && <chosen.Dialog key={`${chosen.id} ${chosen.Dialog.name}`} webhook={webhook} opened={opened} onClose={dialog.close} />}
    </>
  );
}

interface RowProps {
  webhook: WebhookRowFragment;
  show: (dialog: WebhookDialog) => void;
  setState: (state: 'ENABLED' | 'DISABLED') => void;
}

function Row({ webhook, show, setState }: RowProps) {
  const { url, description, events, state, pendingEvents, lastDeliveredAt } = webhook;
  const { status, reason } = webhookStatus(webhook);
  return (
    <Table.Tr>
      <Table.Td>
        <div className={classes.url}>{url}</div>
        {description && (
          <Text size="xs" c="dimmed">
            {description}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <StatusMark value={status} look={WEBHOOK_STATUSES[status]} />
        {reason && (
          <Text size="xs" c="dimmed" className={classes.reason}>
            {reason}
          </Text>
        )}
      </Table.Td>
      <Table.Td className={table.wide}>{events.length ? events.map((event) => EVENT_TYPES[event]).join(', ') : 'All'}</Table.Td>
      <Table.Td className={table.wide}>{pendingEvents.toLocaleString('en')}</Table.Td>
      <Table.Td className={table.wide}>{lastDeliveredAt ? <Ago at={lastDeliveredAt} suffix=" ago" /> : 'never'}</Table.Td>
      <Table.Td ta="right">
        <Group gap="xs" justify="flex-end" wrap="nowrap">
          {state === 'DISABLED' && (
            <Button variant="default" size="xs" leftSection={<Play size={14} aria-hidden />} onClick={() => setState('ENABLED')} aria-label={`Enable ${url}`}>
              Enable
            </Button>
          )}
          <Button variant="default" size="xs" onClick={() => show(TestWebhookDialog)} aria-label={`Test ${url}`}>
            Test
          </Button>
          <Menu position="bottom-end" withArrow>
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`More about ${url}`}>
                <Ellipsis size={17} aria-hidden />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<Pencil size={16} aria-hidden />} onClick={() => show(EditWebhookDialog)}>
                Edit
              </Menu.Item>
              <Menu.Item leftSection={<KeyRound size={16} aria-hidden />} onClick={() => show(RotateSecretDialog)}>
                Replace the secret
              </Menu.Item>
              {state === 'ENABLED' && (
                <Menu.Item leftSection={<Pause size={16} aria-hidden />} onClick={() => setState('DISABLED')}>
                  Disable
                </Menu.Item>
              )}
              <Menu.Divider />
              <Menu.Item color="red" leftSection={<Trash2 size={16} aria-hidden />} onClick={() => show(DeleteWebhookDialog)}>
                Delete
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </Group>
      </Table.Td>
    </Table.Tr>
  );
}
