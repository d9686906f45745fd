import { Checkbox, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useConflict } from '../form/conflict';
import { MutationForm } from '../form/mutation-form';
import { graphql } from '../gql';
import { useMutate } from '../lib/use-mutate';
import type { FormProps } from '../operation/kinds';

/** Asks for the name of the database, as a protection against dropping another one. */
export function DropDatabaseForm({ instance: { id, revision, databases }, name, onDone }: FormProps & { name: string }) {
  const mutation = useMutate(DROP_DATABASE, { idempotent: true, onSuccess: onDone });
  const owner = databases.nodes.find((database) => database.name === name)?.owner;
  // Another one may have taken its name.
  const form = useForm({ initialValues: { confirmation: '', force: false, owner } });
  const conflict = useConflict(form, owner ? { owner } : {}, ({ owner }) => `owned by ${owner}`);
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      toInput={({ force }) => ({ instanceId: id, name, force, revision })}
      submit="Drop"
      color="red"
      disabled={form.values.confirmation !== name || !owner}
      conflict={owner ? conflict : undefined}
      onCancel={onDone}
    >
      <Text size="sm">{owner ? 'The database is dropped with everything in it. This cannot be undone.' : 'The database was dropped meanwhile.'}</Text>
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
