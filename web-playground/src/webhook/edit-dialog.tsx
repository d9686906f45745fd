import { TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useLimits } from '../control-plane/control-plane';
import { useConflict } from '../form/conflict';
import { MutationForm } from '../form/mutation-form';
import { inRange } from '../form/range';
import { Dialog } from '../frame/dialog';
import type { WebhookEventType, WebhookRowFragment } from '../gql/graphql';
import { useMutate } from '../lib/use-mutate';
import { EventSelect } from './event-select';
import { EVENT_TYPES } from './state';
import { UPDATE } from './update';

interface Props {
  webhook: WebhookRowFragment;
  opened: boolean;
  onClose: () => void;
}

export function EditWebhookDialog({ webhook, opened, onClose }: Props) {
  return (
    <Dialog opened={opened} onClose={onClose} title="Edit webhook">
      <EditWebhookForm webhook={webhook} onDone={onClose} />
    </Dialog>
  );
}

interface Values {
  url: string;
  description: string;
  events: WebhookEventType[];
}

function EditWebhookForm({ webhook: { id, url, description, events, revision }, onDone }: Pick<Props, 'webhook'> & { onDone: () => void }) {
  const { webhookUrlLength, webhookDescriptionLength } = useLimits();
  const mutation = useMutate(UPDATE, { onSuccess: onDone });
  const initialValues = { url, description, events: [...events] };
  const form = useForm<Values>({
    initialValues,
    validate: {
      url: (url) => inRange(webhookUrlLength, 'characters')(url.trim().length),
      description: (text) => inRange(webhookDescriptionLength, 'characters')([...text.trim()].length),
    },
  });
  const conflict = useConflict(form, initialValues, ({ url, description, events }) =>
    [url, description || 'no description', events.map((event) => EVENT_TYPES[event]).join(', ') || 'all events'].join(', '),
  );
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      // An unchanged URL is not sent: with one, the next attempt would be made at once.
      toInput={(values) => ({
        id,
        description: values.description.trim(),
        events: values.events,
        revision,
        ...(values.url.trim() !== url && { url: values.url.trim() }),
      })}
      submit="Save"
      conflict={conflict}
      onCancel={onDone}
    >
      <TextInput label="URL" autoComplete="off" required data-autofocus {...form.getInputProps('url')} />
      <TextInput label="Description" autoComplete="off" mt="md" {...form.getInputProps('description')} />
      <EventSelect input={form.getInputProps('events')} />
    </MutationForm>
  );
}
