import { Select, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { MutationForm } from '../form/mutation-form';
import { graphql } from '../gql';
import * as checks from '../instance/checks';
import { useMutate } from '../lib/use-mutate';
import type { FormProps } from '../operation/kinds';

export function CreateDatabaseForm({ instance: { id, revision, username, databases, databaseUsers }, onDone }: FormProps) {
  const mutation = useMutate(CREATE_DATABASE, { idempotent: true, onSuccess: onDone });
  // Both lists are live: somebody else may create this database, or drop the user, while the form is open.
  const form = useForm({
    initialValues: { name: '', owner: username as string | null },
    validate: {
      name: (name) => checks.sqlName(name) ?? checks.unused(databases.nodes, 'database')(name),
      owner: checks.among(databaseUsers.nodes),
    },
  });
  return (
    <MutationForm form={form} mutation={mutation} toInput={(values) => ({ instanceId: id, revision, ...values })} submit="Create" onCancel={onDone}>
      <TextInput label="Name" autoComplete="off" spellCheck={false} required data-autofocus {...form.getInputProps('name')} />
      <Select mt="md" label="Owner" data={databaseUsers.nodes.map(({ name }) => name)} allowDeselect={false} {...form.getInputProps('owner')} />
    </MutationForm>
  );
}

const CREATE_DATABASE = graphql(`
  mutation CreateDatabase($input: CreateDatabaseInput!) {
    createDatabase(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);
