import { Checkbox, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { MutationForm } from '../form/mutation-form';
import { graphql } from '../gql';
import { useMutate } from '../lib/use-mutate';
import type { FormProps } from '../operation/kinds';

/** Asks for the name of the database, as a protection against dropping another one. */
export function DropDatabaseForm({ instance: { id }, name, onDone }: FormProps & { name: string }) {
  const mutation = useMutate(DROP_DATABASE, { idempotent: true, onSuccess: onDone });
  const form = useForm({ initialValues: { confirmation: '', force: false } });
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      toInput={({ force }) => ({ instanceId: id, name, force })}
      submit="Drop"
      color="red"
      disabled={form.values.confirmation !== name}
      onCancel={onDone}
    >
      <Text size="sm">The database is dropped with everything in it. This cannot be undone.</Text>
      <Checkbox mt="md" label="End the sessions in it" {...form.getInputProps('force', { type: 'checkbox' })} />
      <TextInput
        mt="md"
        label={`Type "${name}" to confirm`}
        autoComplete="off"
        spellCheck={false}
        data-autofocus
        {...form.getInputProps('confirmation')}
      />
    </MutationForm>
  );
}

const DROP_DATABASE = graphql(`
  mutation DropDatabase($input: DropDatabaseInput!) {
    dropDatabase(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);
