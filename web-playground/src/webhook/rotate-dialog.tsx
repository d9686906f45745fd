import { Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { MutationForm } from '../form/mutation-form';
import { Dialog } from '../frame/dialog';
import { Secret } from '../frame/secret';
import { graphql } from '../gql';
import type { WebhookRowFragment } from '../gql/graphql';
import { useMutate } from '../lib/use-mutate';

interface Props {
  webhook: WebhookRowFragment;
  opened: boolean;
  onClose: () => void;
}

export function RotateSecretDialog({ webhook, opened, onClose }: Props) {
  return (
    // A click outside must not close it, because the secret is shown only once.
    <Dialog opened={opened} onClose={onClose} title="Replace the secret" closeOnClickOutside={false}>
      <RotateForm webhook={webhook} onClose={onClose} />
    </Dialog>
  );
}

function RotateForm({ webhook: { id }, onClose }: Omit<Props, 'opened'>) {
  const mutation = useMutate(ROTATE);
  const form = useForm({ initialValues: {} });
  if (mutation.data?.secret) return <Secret what="secret" secret={mutation.data.secret} onClose={onClose} />;
  return (
    <MutationForm form={form} mutation={mutation} toInput={() => ({ id })} submit="Replace" onCancel={onClose}>
      <Text size="sm">A new secret is generated. For a day, messages are signed with the present one too, so that the receiver can be given the new one.</Text>
    </MutationForm>
  );
}

const ROTATE = graphql(`
  mutation RotateWebhookSecret($input: RotateWebhookSecretInput!) {
    rotateWebhookSecret(input: $input) {
      secret
      userErrors {
        field
        message
      }
    }
  }
`);
