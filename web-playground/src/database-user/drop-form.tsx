import { Select, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useConflict } from '../form/conflict';
import { MutationForm } from '../form/mutation-form';
import { graphql } from '../gql';
import type { DatabaseAccess } from '../gql/graphql';
import * as checks from '../instance/checks';
import { label } from '../lib/label';
import { useMutate } from '../lib/use-mutate';
import type { FormProps } from '../operation/kinds';

interface Values {
  reassignTo: string | null;
  /** What the user may do, which is what is dropped. */
  user?: { access: DatabaseAccess; database?: string | null };
}

export function DropUserForm({ instance: { id, revision, username, databaseUsers }, name, onDone }: FormProps & { name: string }) {
  const mutation = useMutate(DROP_USER, { idempotent: true, onSuccess: onDone });
  const others = databaseUsers.nodes.filter((other) => other.name !== name);
  const found = databaseUsers.nodes.find((other) => other.name === name);
  const user = found && { access: found.access, database: found.database };
  const form = useForm<Values>({ initialValues: { reassignTo: username, user }, validate: { reassignTo: checks.among(others) } });
  // Another one may have taken its name.
  const conflict = useConflict(form, user ? { user } : {}, ({ user }) => (user ? `${label(user.access)} in ${user.database ?? 'its own databases'}` : 'none'));
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      toInput={({ reassignTo }) => ({ instanceId: id, name, reassignTo, revision })}
      submit="Drop"
      color="red"
      disabled={!user}
      conflict={user && conflict}
      onCancel={onDone}
    >
      <Text size="sm">{user ? 'Its sessions are ended. What it owns stays, and belongs to another user.' : 'The user was dropped meanwhile.'}</Text>
      <Select mt="md" label="Reassign to" data={others.map((other) => other.name)} allowDeselect={false} data-autofocus {...form.getInputProps('reassignTo')} />
    </MutationForm>
  );
}

const DROP_USER = graphql(`
  mutation DropDatabaseUser($input: DropDatabaseUserInput!) {
    dropDatabaseUser(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);
