import { PasswordInput, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useLimits } from '../control-plane/control-plane';
import { MutationForm } from '../form/mutation-form';
import { inRange } from '../form/range';
import { Dialog } from '../frame/dialog';
import { Secret } from '../frame/secret';
import { graphql } from '../gql';
import type { WebhookEventType } from '../gql/graphql';
import { useMutate } from '../lib/use-mutate';
import { EventSelect } from './event-select';

export function CreateWebhookDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    // A click outside must not close it, because the secret is shown only once.
    <Dialog opened={opened} onClose={onClose} title="Create webhook" closeOnClickOutside={false}>
      <CreateWebhookForm onClose={onClose} />
    </Dialog>
  );
}

interface Values {
  url: string;
  description: string;
  events: WebhookEventType[];
  secret: string;
}

function CreateWebhookForm({ onClose }: { onClose: () => void }) {
  const { webhookUrlLength, webhookDescriptionLength } = useLimits();
  const mutation = useMutate(CREATE, { idempotent: true });
  const form = useForm<Values>({
    initialValues: { url: '', description: '', events: [], secret: '' },
    validate: {
      url: (url) => inRange(webhookUrlLength, 'characters')(url.trim().length),
      description: (text) => inRange(webhookDescriptionLength, 'characters')([...text.trim()].length),
    },
  });

  if (mutation.data?.secret) return <Secret what="secret" secret={mutation.data.secret} onClose={onClose} />;
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      toInput={({ url, description, events, secret }) => ({ url: url.trim(), description: description.trim(), events, ...(secret && { secret }) })}
      submit="Create"
      onCancel={onClose}
    >
      <TextInput
        label="URL"
        description="Where messages are sent; its path is visible to administrators only"
        placeholder="https://hooks.example.com/toygres"
        autoComplete="off"
        required
        data-autofocus
        {...form.getInputProps('url')}
      />
      <TextInput label="Description" autoComplete="off" mt="md" {...form.getInputProps('description')} />
      <EventSelect input={form.getInputProps('events')} />
      <PasswordInput label="Secret" description="Signs the messages; leave blank to generate one" autoComplete="new-password" mt="md" {...form.getInputProps('secret')} />
    </MutationForm>
  );
}

const CREATE = graphql(`
  mutation CreateWebhook($input: CreateWebhookInput!) {
    createWebhook(input: $input) {
      secret
      userErrors {
        field
        message
      }
    }
  }
`);
