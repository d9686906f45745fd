import { Modal } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useLimits } from '../control-plane/control-plane';
import { MutationForm } from '../form/mutation-form';
import { inRange } from '../form/range';
import { RangeInput } from '../form/range-input';
import type { InstancePageFragment } from '../gql/graphql';
import { useUpdateInstance } from './update';

interface Props {
  instance: InstancePageFragment;
  onDone: () => void;
}

export function HealthCheckPolicyDialog({ instance, opened, onDone }: Props & { opened: boolean }) {
  return (
    <Modal opened={opened} onClose={onDone} title={`Health checks of ${instance.name}`}>
      <HealthCheckPolicyForm instance={instance} onDone={onDone} />
    </Modal>
  );
}

function HealthCheckPolicyForm({ instance: { id, healthCheckPolicy }, onDone }: Props) {
  const mutation = useUpdateInstance(onDone);
  const { healthCheckIntervalSeconds: interval, healthCheckTimeoutSeconds: timeout } = useLimits();
  const form = useForm<{ healthCheck: Record<'intervalSeconds' | 'timeoutSeconds', number | string> }>({
    initialValues: { healthCheck: healthCheckPolicy },
    validate: { healthCheck: { intervalSeconds: inRange(interval, 'seconds'), timeoutSeconds: inRange(timeout, 'seconds') } },
    validateInputOnChange: true,
  });
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      toInput={({ healthCheck: { intervalSeconds, timeoutSeconds } }) => ({
        id,
        healthCheck: { intervalSeconds: Number(intervalSeconds), timeoutSeconds: Number(timeoutSeconds) },
      })}
      submit="Save"
      onCancel={onDone}
    >
      <RangeInput
        label="Health check interval"
        description="Seconds from one check to the next"
        suffix=" s"
        range={interval}
        data-autofocus
        {...form.getInputProps('healthCheck.intervalSeconds')}
      />
      <RangeInput
        label="Health check timeout"
        description="Seconds that one check may take"
        suffix=" s"
        range={timeout}
        {...form.getInputProps('healthCheck.timeoutSeconds')}
      />
    </MutationForm>
  );
}
