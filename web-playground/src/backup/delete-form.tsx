import { Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { MutationForm } from '../form/mutation-form';
import { graphql } from '../gql';
import { useMutate } from '../lib/use-mutate';

export function DeleteBackupForm({ id, onDone }: { id: string; onDone: () => void }) {
  const mutation = useMutate(DELETE_BACKUP, { onSuccess: onDone });
  const form = useForm({ initialValues: {} });
  return (
    <MutationForm form={form} mutation={mutation} toInput={() => ({ id })} submit="Delete" color="red" onCancel={onDone}>
      <Text size="sm">The points in time that only this backup can restore are lost. This cannot be undone.</Text>
    </MutationForm>
  );
}

const DELETE_BACKUP = graphql(`
  mutation DeleteBackup($input: DeleteBackupInput!) {
    deleteBackup(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);
