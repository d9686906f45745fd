import { Alert, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useControlPlane } from '../control-plane/control-plane';
import { MutationForm } from '../form/mutation-form';
import { Dialog } from '../frame/dialog';
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
    <Dialog opened={opened} onClose={onClose} title={`Revoke ${token.name}?`}>
      <RevokeForm token={token} onDone={onClose} />
    </Dialog>
  );
}

function RevokeForm({ token: { id }, onDone }: Pick<Props, 'token'> & { onDone: () => void }) {
  const own = useControlPlane().data?.caller.tokenId === id;
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
      {own && (
        <Alert color="yellow" variant="outline" mt="md" p="xs" role="status">
          You are signed in with this token: this page signs out as soon as it is revoked.
        </Alert>
      )}
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
