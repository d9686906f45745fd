import { Alert, Button, Center, Container, Group, Switch, Table, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { usePermissions } from '../control-plane/control-plane';
import { Loading } from '../frame/loading';
import { StatusMark } from '../frame/status-mark';
import { useTitle } from '../frame/use-title';
import type { TokenRowFragment } from '../gql/graphql';
import { Ago } from '../time/ago';
import { full } from '../time/format';
import { CreateTokenDialog } from './create-dialog';
import { useTokens } from './list';
import classes from './list-page.module.css';
import { RevokeDialog } from './revoke-dialog';
import { ROLES, standing } from './words';

/** The tokens that let people and programs in; for administrators, where callers need one. */
export default function TokensPage() {
  useTitle('API tokens');
  const { administer } = usePermissions();
  return (
    <Container size="xl" py="lg">
      {administer ? (
        <Tokens />
      ) : (
        <Text c="dimmed" ta="center" py="xl">
          API tokens show to the bearer of one with the role Admin. Where the server asks for none, there is nothing to do here.
        </Text>
      )}
    </Container>
  );
}

function Tokens() {
  const { tokens, more, reload, error } = useTokens();
  const [ended, setEnded] = useState(false);
  const [creating, create] = useDisclosure(false);
  const [chosen, choose] = useState<TokenRowFragment>();
  const [revoking, revoke] = useDisclosure(false);
  const now = Date.now();
  const shown = tokens?.filter((token) => ended || standing(token, now).tone === 'good');

  return (
    <>
      <Group justify="space-between" mb="xs">
        <Title order={1} size="h2">
          API tokens
        </Title>
        <Button leftSection={<Plus size={17} aria-hidden />} onClick={create.open}>
          New token
        </Button>
      </Group>
      <Group justify="space-between" mb="md">
        <Text c="dimmed" size="sm">
          Each lets its bearer in with a role. Revoking one ends its open connections too.
        </Text>
        <Switch size="sm" label="Ended ones too" checked={ended} onChange={(event) => setEnded(event.currentTarget.checked)} />
      </Group>
      {error && (
        <Alert color="red" variant="outline" title="The tokens cannot be shown" mb="md">
          {error.message}
        </Alert>
      )}
      {!shown && !error && <Loading />}
      {shown && (
        <Table className={classes.table} aria-label="API tokens">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Name</Table.Th>
              <Table.Th>Role</Table.Th>
              <Table.Th>Status</Table.Th>
              <Table.Th className={classes.wide}>Made</Table.Th>
              <Table.Th className={classes.wide}>Last used</Table.Th>
              <Table.Th className={classes.wide}>Ends</Table.Th>
              <Table.Th aria-label="What can be done" />
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
          There are none.
        </Text>
      )}
      {more && (
        <Center mt="md">
          <Button variant="default" onClick={more}>
            Show more
          </Button>
        </Center>
      )}
      <CreateTokenDialog opened={creating} onClose={create.close} onMade={reload} />
      {chosen && <RevokeDialog token={chosen} opened={revoking} onClose={revoke.close} onRevoked={reload} />}
    </>
  );
}

function Row({ token, now, onRevoke }: { token: TokenRowFragment; now: number; onRevoke: () => void }) {
  const { name, role, createdAt, lastUsedAt, expiresAt } = token;
  const status = standing(token, now);
  return (
    <Table.Tr>
      <Table.Td className={classes.name}>{name}</Table.Td>
      <Table.Td title={ROLES[role].may}>{ROLES[role].name}</Table.Td>
      <Table.Td>
        <StatusMark status={status} />
      </Table.Td>
      <Table.Td className={classes.wide}>
        <Ago at={createdAt} suffix=" ago" />
      </Table.Td>
      <Table.Td className={classes.wide}>{lastUsedAt ? <Ago at={lastUsedAt} suffix=" ago" /> : 'never'}</Table.Td>
      <Table.Td className={classes.wide}>{expiresAt ? <time dateTime={expiresAt}>{full(expiresAt)}</time> : 'never'}</Table.Td>
      <Table.Td ta="right">
        {status.tone === 'good' && (
          <Button variant="default" size="xs" onClick={onRevoke} aria-label={`Revoke ${name}`}>
            Revoke
          </Button>
        )}
      </Table.Td>
    </Table.Tr>
  );
}
