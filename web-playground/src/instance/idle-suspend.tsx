import { Modal, type NumberInputProps } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useLimits } from '../control-plane/control-plane';
import { MutationForm } from '../form/mutation-form';
import { inRangeOrEmpty } from '../form/range';
import { RangeInput } from '../form/range-input';
import type { InstancePageFragment } from '../gql/graphql';
import { useUpdateInstance } from './update';

/** The minutes without a client after which an instance is suspended; empty for never. */
export function IdleSuspendInput(props: NumberInputProps) {
  const { idleSuspendMinutes: range } = useLimits();
  return (
    <RangeInput label="Suspend when idle" description="Minutes without a client" placeholder="Never" suffix=" min" step={5} range={range} {...props} />
  );
}

export function IdleSuspendDialog({ instance, opened, onClose }: { instance: InstancePageFragment; opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title={`Suspend ${instance.name} when idle`}>
      <IdleSuspendForm instance={instance} onDone={onClose} />
    </Modal>
  );
}

function IdleSuspendForm({ instance: { id, idleSuspendMinutes }, onDone }: { instance: InstancePageFragment; onDone: () => void }) {
  const mutation = useUpdateInstance(onDone);
  const { idleSuspendMinutes: range } = useLimits();
  const form = useForm({
    initialValues: { idleSuspendMinutes: (idleSuspendMinutes ?? '') as number | string },
    validate: { idleSuspendMinutes: inRangeOrEmpty(range, 'minutes') },
    validateInputOnChange: true,
  });
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      // 0 turns it off.
      toInput={({ idleSuspendMinutes }) => ({ id, idleSuspendMinutes: Number(idleSuspendMinutes) })}
      submit="Save"
      onCancel={onDone}
    >
      <IdleSuspendInput data-autofocus {...form.getInputProps('idleSuspendMinutes')} />
    </MutationForm>
  );
}
