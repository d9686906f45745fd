import { Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { RotateCw } from 'lucide-react';
import { useLimits } from '../../control-plane/control-plane';
import { MutationForm } from '../../form/mutation-form';
import { initialValue, inRange } from '../../form/range';
import { RangeInput } from '../../form/range-input';
import { graphql } from '../../gql';
import { useMutate } from '../../lib/use-mutate';
import type { FormProps, InstanceOperation } from '../kinds';

function RestartForm({ instance: { id }, onDone }: FormProps) {
  const { restartTimeoutSeconds: range } = useLimits();
  const mutation = useMutate(RESTART, { idempotent: true, onSuccess: onDone });
  const form = useForm({
    initialValues: { timeoutSeconds: initialValue(range) as number | string },
    validate: { timeoutSeconds: inRange(range, 'seconds') },
    validateInputOnChange: true,
  });
  return (
    <MutationForm form={form} mutation={mutation} toInput={({ timeoutSeconds }) => ({ id, timeoutSeconds: Number(timeoutSeconds) })} submit="Restart" onCancel={onDone}>
      <Text size="sm">All client connections are closed and open transactions are rolled back. Clients can reconnect when the instance is running again.</Text>
      <RangeInput
        mt="md"
        label="Shutdown timeout"
        description={`${range.min} to ${range.max} seconds. After that the server is stopped immediately.`}
        suffix="s"
        range={range}
        data-autofocus
        {...form.getInputProps('timeoutSeconds')}
      />
    </MutationForm>
  );
}

const RESTART = graphql(`
  mutation RestartInstance($input: RestartInstanceInput!) {
    restartInstance(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const operation: InstanceOperation = { icon: RotateCw, Form: RestartForm };
