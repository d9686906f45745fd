import { Select, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { MutationForm } from '../form/mutation-form';
import { graphql } from '../gql';
import { useMutate } from '../lib/use-mutate';
import type { FormProps } from '../operation/kinds';

export function DropUserForm({ instance: { id, username, databaseUsers }, name, onDone }: FormProps & { name: string }) {
  const mutation = useMutate(DROP_USER, { idempotent: true, onSuccess: onDone });
  const form = useForm({ initialValues: { reassignTo: username as string | null } });
  const others = databaseUsers.nodes.map((user) => user.name).filter((other) => other !== name);
  return (
    <MutationForm form={form} mutation={mutation} toInput={({ reassignTo }) => ({ instanceId: id, name, reassignTo })} submit="Drop" color="red" onCancel={onDone}>
      <Text size="sm">Its sessions are ended. What it owns stays, and belongs to another user.</Text>
      <Select mt="md" label="Reassign to" data={others} allowDeselect={false} data-autofocus {...form.getInputProps('reassignTo')} />
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
