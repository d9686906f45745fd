import { Modal, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { MutationForm } from '../form/mutation-form';
import { graphql } from '../gql';
import type { TokenRowFragment } from '../gql/graphql';
import { useMutate } from '../lib/use-mutate';
import { useReloadTokens } from './list';

interface Props {
  token: TokenRowFragment;
  opened: boolean;
  onClose: () => void;
}

/** Asks for confirmation, because a revoked token is rejected immediately. */
export function RevokeDialog({ token, opened, onClose }: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title={`Revoke ${token.name}?`}>
      <RevokeForm id={token.id} onDone={onClose} />
    </Modal>
  );
}

function RevokeForm({ id, onDone }: { id: string; onDone: () => void }) {
  const reload = useReloadTokens();
  const mutation = useMutate(REVOKE, {
    onSuccess: () => {
      reload();
      onDone();
    },
  });
  const form = useForm({ initialValues: {} });
  return (
    <MutationForm form={form} mutation={mutation} toInput={() => ({ id })} submit="Revoke" color="red" onCancel={onDone}>
      <Text size="sm">Requests with this token are rejected immediately, and its open subscriptions end. This cannot be undone.</Text>
    </MutationForm>
  );
}

const REVOKE = graphql(`
  mutation RevokeToken($input: RevokeApiTokenInput!) {
    revokeApiToken(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);
