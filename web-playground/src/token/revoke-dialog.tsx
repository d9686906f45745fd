import { Alert, Button, Group, Modal, Text } from '@mantine/core';
import { useState } from 'react';
import { graphql } from '../gql';
import type { TokenRowFragment } from '../gql/graphql';
import { request } from '../lib/request';

interface Props {
  token: TokenRowFragment;
  opened: boolean;
  onClose: () => void;
  onRevoked: () => void;
}

/** Asks before a token is ended, for its bearer is locked out at once. */
export function RevokeDialog({ token: { id, name }, opened, onClose, onRevoked }: Props) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();

  function close() {
    setError(undefined);
    onClose();
  }

  async function revoke() {
    setBusy(true);
    setError(undefined);
    try {
      const { userErrors } = (await request(REVOKE, { input: { id } })).revokeApiToken;
      if (userErrors.length) throw new Error(userErrors.map(({ message }) => message).join(' '));
      onRevoked();
      close();
    } catch (error) {
      setError((error as Error).message);
    } finally {
      setBusy(false);
    }
  }

  return (
    <Modal opened={opened} onClose={close} title={`Revoke ${name}?`}>
      <Text size="sm">Whoever carries it is locked out at once, and its open subscriptions end. This cannot be undone.</Text>
      {error && (
        <Alert color="red" variant="outline" mt="md" role="alert">
          {error}
        </Alert>
      )}
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={close} data-autofocus>
          Cancel
        </Button>
        <Button color="red" loading={busy} onClick={() => void revoke()}>
          Revoke
        </Button>
      </Group>
    </Modal>
  );
}

const REVOKE = graphql(`
  mutation RevokeToken($input: RevokeApiTokenInput!) {
    revokeApiToken(input: $input) {
      userErrors {
        message
      }
    }
  }
`);
