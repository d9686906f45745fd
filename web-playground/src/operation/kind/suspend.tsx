import { Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { CirclePause } from 'lucide-react';
import { useLimits } from '../../control-plane/control-plane';
import { MutationForm } from '../../form/mutation-form';
import { initialValue, inRange } from '../../form/range';
import { RangeInput } from '../../form/range-input';
import { graphql } from '../../gql';
import { useMutate } from '../../lib/use-mutate';
import type { FormProps, InstanceOperation } from '../kinds';

function SuspendForm({ instance: { id }, onDone }: FormProps) {
  const { suspendTimeoutSeconds: range } = useLimits();
  const mutation = useMutate(SUSPEND, { idempotent: true, onSuccess: onDone });
  const form = useForm({
    initialValues: { timeoutSeconds: initialValue(range) as number | string },
    validate: { timeoutSeconds: inRange(range, 'seconds') },
    validateInputOnChange: true,
  });
  return (
    <MutationForm form={form} mutation={mutation} toInput={({ timeoutSeconds }) => ({ id, timeoutSeconds: Number(timeoutSeconds) })} submit="Suspend" onCancel={onDone}>
      <Text size="sm">
        The server is stopped: all client connections are closed, open transactions are rolled back, and nobody can connect until the instance is resumed. The data
        and the connection string stay.
      </Text>
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

const SUSPEND = graphql(`
  mutation SuspendInstance($input: SuspendInstanceInput!) {
    suspendInstance(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const operation: InstanceOperation = { icon: CirclePause, Form: SuspendForm };
