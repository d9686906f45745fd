import { type NumberInputProps } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useLimits } from '../control-plane/control-plane';
import { useConflict } from '../form/conflict';
import { MutationForm } from '../form/mutation-form';
import { inRangeOrEmpty } from '../form/range';
import { RangeInput } from '../form/range-input';
import { Dialog } from '../frame/dialog';
import type { InstancePageFragment } from '../gql/graphql';
import { useUpdateInstance } from './update';

/** The minutes without a client after which an instance is suspended; empty for never. */
export function IdleSuspendInput(props: NumberInputProps) {
  const { idleSuspendMinutes: range } = useLimits();
  return (
    <RangeInput label="Suspend when idle" description="Minutes without a client" placeholder="Never" suffix="m" step={5} range={range} {...props} />
  );
}

export function IdleSuspendDialog({ instance, opened, onClose }: { instance: InstancePageFragment; opened: boolean; onClose: () => void }) {
  return (
    <Dialog opened={opened} onClose={onClose} title={`Suspend ${instance.name} when idle`}>
      <IdleSuspendForm instance={instance} onDone={onClose} />
    </Dialog>
  );
}

function IdleSuspendForm({ instance: { id, revision, idleSuspendMinutes }, onDone }: { instance: InstancePageFragment; onDone: () => void }) {
  const mutation = useUpdateInstance(onDone);
  const { idleSuspendMinutes: range } = useLimits();
  const initialValues = { idleSuspendMinutes: (idleSuspendMinutes ?? '') as number | string };
  const form = useForm({
    initialValues,
    validate: { idleSuspendMinutes: inRangeOrEmpty(range, 'minutes') },
    validateInputOnChange: true,
  });
  const conflict = useConflict(form, initialValues, ({ idleSuspendMinutes }) => (idleSuspendMinutes ? `after ${idleSuspendMinutes}m` : 'never'));
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      // 0 turns it off.
      toInput={({ idleSuspendMinutes }) => ({ id, revision, idleSuspendMinutes: Number(idleSuspendMinutes) })}
      submit="Save"
      conflict={conflict}
      onCancel={onDone}
    >
      <IdleSuspendInput data-autofocus {...form.getInputProps('idleSuspendMinutes')} />
    </MutationForm>
  );
}
