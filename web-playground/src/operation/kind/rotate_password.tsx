import { Checkbox, PasswordInput, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { KeyRound } from 'lucide-react';
import { useLimits } from '../../control-plane/control-plane';
import { MutationForm } from '../../form/mutation-form';
import { graphql } from '../../gql';
import * as checks from '../../instance/checks';
import { useMutate } from '../../lib/use-mutate';
import type { FormProps, InstanceOperation } from '../kinds';

function RotatePasswordForm({ instance: { id, username }, onDone }: FormProps) {
  const mutation = useMutate(ROTATE_PASSWORD, { idempotent: true, onSuccess: onDone });
  const form = useForm({
    initialValues: { password: '', terminateSessions: false },
    validate: { password: checks.password(useLimits()) },
    validateInputOnChange: true,
  });
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      toInput={({ password, terminateSessions }) => ({ id, password: password || null, terminateSessions })}
      submit="Rotate"
      onCancel={onDone}
    >
      <Text size="sm">
        The user {username} gets another password, and the connection string shows it as soon as it works. The former one no longer logs in. Open sessions stay open
        unless you end them.
      </Text>
      <PasswordInput mt="md" label="Password" description="Leave blank to generate" autoComplete="new-password" data-autofocus {...form.getInputProps('password')} />
      <Checkbox mt="md" label="End open sessions" {...form.getInputProps('terminateSessions', { type: 'checkbox' })} />
    </MutationForm>
  );
}

const ROTATE_PASSWORD = graphql(`
  mutation RotatePassword($input: RotatePasswordInput!) {
    rotatePassword(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const operation: InstanceOperation = { icon: KeyRound, Form: RotatePasswordForm };
