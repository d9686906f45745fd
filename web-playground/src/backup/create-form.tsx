import { Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { MutationForm } from '../form/mutation-form';
import { graphql } from '../gql';
import { useMutate } from '../lib/use-mutate';
import type { FormProps } from '../operation/kinds';

export function CreateBackupForm({ instance: { id, revision }, onDone }: FormProps) {
  const mutation = useMutate(CREATE_BACKUP, { idempotent: true, onSuccess: onDone });
  const form = useForm({ initialValues: {} });
  return (
    <MutationForm form={form} mutation={mutation} toInput={() => ({ instanceId: id, revision })} submit="Back up" onCancel={onDone}>
      <Text size="sm">A copy of all its files is taken while it runs. Backups that are due are taken without being asked for.</Text>
    </MutationForm>
  );
}

const CREATE_BACKUP = graphql(`
  mutation CreateBackup($input: CreateBackupInput!) {
    createBackup(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);
