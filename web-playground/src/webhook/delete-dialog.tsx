import { Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { MutationForm } from '../form/mutation-form';
import { Dialog } from '../frame/dialog';
import { graphql } from '../gql';
import type { WebhookRowFragment } from '../gql/graphql';
import { useMutate } from '../lib/use-mutate';

interface Props {
  webhook: WebhookRowFragment;
  opened: boolean;
  onClose: () => void;
}

/** Asks for confirmation, because the position in the log is lost. */
export function DeleteWebhookDialog({ webhook, opened, onClose }: Props) {
  return (
    <Dialog opened={opened} onClose={onClose} title="Delete webhook?">
      <DeleteForm webhook={webhook} onDone={onClose} />
    </Dialog>
  );
}

function DeleteForm({ webhook: { id, url, pendingEvents }, onDone }: Pick<Props, 'webhook'> & { onDone: () => void }) {
  const mutation = useMutate(DELETE, { onSuccess: onDone });
  const form = useForm({ initialValues: {} });
  return (
    <MutationForm form={form} mutation={mutation} toInput={() => ({ id })} submit="Delete" color="red" onCancel={onDone}>
      <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
        Nothing more is sent to {url}
        {pendingEvents > 0 && `, and ${pendingEvents.toLocaleString('en')} pending ${pendingEvents === 1 ? 'event is' : 'events are'} dropped`}. This cannot be undone.
      </Text>
    </MutationForm>
  );
}

const DELETE = graphql(`
  mutation DeleteWebhook($input: DeleteWebhookInput!) {
    deleteWebhook(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);
