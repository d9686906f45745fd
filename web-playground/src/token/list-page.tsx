import { Alert, Button, Center, Container, Group, Switch, Table, Text, Title, VisuallyHidden } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { usePermissions } from '../control-plane/control-plane';
import { Loading } from '../frame/loading';
import { StatusMark } from '../frame/status-mark';
import table from '../frame/table.module.css';
import { useTitle } from '../frame/use-title';
import type { TokenRowFragment } from '../gql/graphql';
import { label } from '../lib/label';
import { Ago } from '../time/ago';
import { full } from '../time/format';
import { CreateTokenDialog } from './create-dialog';
import { useTokens } from './list';
import classes from './list-page.module.css';
import { RevokeDialog } from './revoke-dialog';
import { ROLES, TOKEN_STATUSES, tokenStatus } from './roles';

/** The API tokens, for administrators of a server that requires them. */
export default function TokensPage() {
  useTitle('API tokens');
  const { administer } = usePermissions();
  return (
    <Container size="xl" py="lg">
      {administer ? (
        <Tokens />
      ) : (
        <Text c="dimmed" ta="center" py="xl">
          API tokens are visible with the role Admin. A server without access control has none.
        </Text>
      )}
    </Container>
  );
}

function Tokens() {
  const { data, hasNextPage, fetchNextPage, error } = useTokens();
  const [all, setAll] = useState(false);
  const [creating, create] = useDisclosure(false);
  const [chosen, choose] = useState<TokenRowFragment>();
  const [revoking, revoke] = useDisclosure(false);
  const now = Date.now();
  const shown = data?.pages.flatMap(({ nodes }) => nodes).filter((token) => all || tokenStatus(token, now) === 'ACTIVE');

  return (
    <>
      <Group justify="space-between" mb="xs">
        <Title order={1} size="h2">
          API tokens
        </Title>
        <Button leftSection={<Plus size={17} aria-hidden />} onClick={create.open}>
          Create token
        </Button>
      </Group>
      <Group justify="space-between" mb="md">
        <Text c="dimmed" size="sm">
          A token grants access with a role. Revoking it ends its open connections.
        </Text>
        <Switch size="sm" label="Show inactive" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
      </Group>
      {error && (
        <Alert color="red" variant="outline" title="The tokens could not be loaded" mb="md">
          {error.message}
        </Alert>
      )}
      {!shown && !error && <Loading />}
      {shown && (
        <Table className={table.table} aria-label="API tokens">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Name</Table.Th>
              <Table.Th>Role</Table.Th>
              <Table.Th>Status</Table.Th>
              <Table.Th className={table.wide}>Created</Table.Th>
              <Table.Th className={table.wide}>Last used</Table.Th>
              <Table.Th className={table.wide}>Expires</Table.Th>
              <Table.Th pos="relative">
                <VisuallyHidden>Actions</VisuallyHidden>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map((token) => (
              <Row
                key={token.id}
                token={token}
                now={now}
                onRevoke={() => {
                  choose(token);
                  revoke.open();
                }}
              />
            ))}
          </Table.Tbody>
        </Table>
      )}
      {shown?.length === 0 && (
        <Text c="dimmed" ta="center" py="xl">
          No tokens
        </Text>
      )}
      {hasNextPage && (
        <Center mt="md">
          <Button variant="default" onClick={() => void fetchNextPage()}>
            Load more
          </Button>
        </Center>
      )}
      <CreateTokenDialog opened={creating} onClose={create.close} />
      {chosen && <RevokeDialog token={chosen} opened={revoking} onClose={revoke.close} />}
    </>
  );
}

function Row({ token, now, onRevoke }: { token: TokenRowFragment; now: number; onRevoke: () => void }) {
  const { name, role, createdAt, lastUsedAt, expiresAt } = token;
  const status = tokenStatus(token, now);
  return (
    <Table.Tr>
      <Table.Td className={classes.name}>{name}</Table.Td>
      <Table.Td title={ROLES[role]}>{label(role)}</Table.Td>
      <Table.Td>
        <StatusMark value={status} look={TOKEN_STATUSES[status]} />
      </Table.Td>
      <Table.Td className={table.wide}>
        <Ago at={createdAt} suffix=" ago" />
      </Table.Td>
      <Table.Td className={table.wide}>{lastUsedAt ? <Ago at={lastUsedAt} suffix=" ago" /> : 'never'}</Table.Td>
      <Table.Td className={table.wide}>{expiresAt ? <time dateTime={expiresAt}>{full(expiresAt)}</time> : 'never'}</Table.Td>
      <Table.Td ta="right">
        {status === 'ACTIVE' && (
          <Button variant="default" size="xs" onClick={onRevoke} aria-label={`Revoke ${name}`}>
            Revoke
          </Button>
        )}
      </Table.Td>
    </Table.Tr>
  );
}
