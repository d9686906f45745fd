import { Checkbox, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { Trash2 } from 'lucide-react';
import { MutationForm } from '../../form/mutation-form';
import { graphql } from '../../gql';
import { useMutate } from '../../lib/use-mutate';
import type { FormProps, InstanceOperation } from '../kinds';

/** Asks for the name of the instance, as a protection against deleting another one. */
function DeleteForm({ instance: { id, name }, onDone }: FormProps) {
  const mutation = useMutate(DELETE, { idempotent: true, onSuccess: onDone });
  const form = useForm({ initialValues: { confirmation: '', keepVolumes: false, finalBackup: false } });
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      toInput={({ keepVolumes, finalBackup }) => ({ id, keepVolumes, finalBackup: finalBackup || undefined })}
      submit="Delete"
      color="red"
      disabled={form.values.confirmation !== name}
      onCancel={onDone}
    >
      <Text size="sm">
        The database is stopped and its data is deleted, unless you keep the volumes. Backups of it are kept for their days, with everything that
        was committed.
      </Text>
      <Checkbox mt="md" label="Keep the volumes" {...form.getInputProps('keepVolumes', { type: 'checkbox' })} />
      <Checkbox
        mt="md"
        label="Take a final backup first"
        description="Nothing is deleted before it is complete. Until then the deletion can be cancelled."
        {...form.getInputProps('finalBackup', { type: 'checkbox' })}
      />
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

const DELETE = graphql(`
  mutation DeleteInstance($input: DeleteInstanceInput!) {
    deleteInstance(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const operation: InstanceOperation = { icon: Trash2, Form: DeleteForm, destructive: true };
