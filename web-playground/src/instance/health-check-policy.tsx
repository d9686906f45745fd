import { useForm } from '@mantine/form';
import { useLimits } from '../control-plane/control-plane';
import { useConflict } from '../form/conflict';
import { MutationForm } from '../form/mutation-form';
import { inRange } from '../form/range';
import { RangeInput } from '../form/range-input';
import { Dialog } from '../frame/dialog';
import type { InstancePageFragment } from '../gql/graphql';
import { useUpdateInstance } from './update';

interface Props {
  instance: InstancePageFragment;
  onDone: () => void;
}

export function HealthCheckPolicyDialog({ instance, opened, onDone }: Props & { opened: boolean }) {
  return (
    <Dialog opened={opened} onClose={onDone} title={`Health checks of ${instance.name}`}>
      <HealthCheckPolicyForm instance={instance} onDone={onDone} />
    </Dialog>
  );
}

function HealthCheckPolicyForm({ instance: { id, revision, healthCheckPolicy }, onDone }: Props) {
  const mutation = useUpdateInstance(onDone);
  const { healthCheckIntervalSeconds: interval, healthCheckTimeoutSeconds: timeout } = useLimits();
  const initialValues: { healthCheck: Record<'intervalSeconds' | 'timeoutSeconds', number | string> } = { healthCheck: healthCheckPolicy };
  const form = useForm({
    initialValues,
    validate: { healthCheck: { intervalSeconds: inRange(interval, 'seconds'), timeoutSeconds: inRange(timeout, 'seconds') } },
    validateInputOnChange: true,
  });
  const conflict = useConflict(form, initialValues, ({ healthCheck }) => `every ${healthCheck.intervalSeconds}s, timeout ${healthCheck.timeoutSeconds}s`);
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      toInput={({ healthCheck: { intervalSeconds, timeoutSeconds } }) => ({
        id,
        revision,
        healthCheck: { intervalSeconds: Number(intervalSeconds), timeoutSeconds: Number(timeoutSeconds) },
      })}
      submit="Save"
      conflict={conflict}
      onCancel={onDone}
    >
      <RangeInput
        label="Health check interval"
        description="Seconds from one check to the next"
        suffix="s"
        range={interval}
        data-autofocus
        {...form.getInputProps('healthCheck.intervalSeconds')}
      />
      <RangeInput
        label="Health check timeout"
        description="Seconds that one check may take"
        suffix="s"
        range={timeout}
        {...form.getInputProps('healthCheck.timeoutSeconds')}
      />
    </MutationForm>
  );
}
