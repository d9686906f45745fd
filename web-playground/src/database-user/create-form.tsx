import { PasswordInput, Select, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useLimits } from '../control-plane/control-plane';
import { MutationForm } from '../form/mutation-form';
import { Secret } from '../frame/secret';
import { graphql } from '../gql';
import { DatabaseAccess } from '../gql/graphql';
import * as checks from '../instance/checks';
import { options } from '../lib/label';
import { useMutate } from '../lib/use-mutate';
import type { FormProps } from '../operation/kinds';

/** Creates a user, and then shows its password, which is not stored. */
export function CreateUserForm({ instance: { id, revision, database, databases, databaseUsers }, onDone }: FormProps) {
  const mutation = useMutate(CREATE_USER, { idempotent: true });
  const form = useForm({
    initialValues: { name: '', access: 'READ_ONLY' as DatabaseAccess, database: database as string | null, password: '' },
    validate: {
      name: (name) => checks.sqlName(name) ?? checks.unused(databaseUsers.nodes, 'user')(name),
      database: checks.among(databases.nodes),
      password: checks.password(useLimits()),
    },
  });
  if (mutation.data?.password) return <Secret what="password" secret={mutation.data.password} onClose={onDone} />;
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      toInput={({ password, ...values }) => ({ instanceId: id, revision, ...values, password: password || null })}
      submit="Create"
      onCancel={onDone}
    >
      <TextInput label="Name" autoComplete="off" spellCheck={false} required data-autofocus {...form.getInputProps('name')} />
      <Select mt="md" label="Access" data={options(Object.values(DatabaseAccess))} allowDeselect={false} {...form.getInputProps('access')} />
      <Select
        mt="md"
        label="Database"
        description="An owner without one owns the databases that are created for it."
        data={databases.nodes.map(({ name }) => name)}
        clearable
        clearButtonProps={{ 'aria-label': 'No database' }}
        {...form.getInputProps('database')}
      />
      <PasswordInput mt="md" label="Password" description="Leave blank to generate" autoComplete="new-password" {...form.getInputProps('password')} />
    </MutationForm>
  );
}

const CREATE_USER = graphql(`
  mutation CreateDatabaseUser($input: CreateDatabaseUserInput!) {
    createDatabaseUser(input: $input) {
      password
      userErrors {
        field
        message
      }
    }
  }
`);
