import type { NumberInputProps } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useLimits } from '../control-plane/control-plane';
import { useConflict } from '../form/conflict';
import { MutationForm } from '../form/mutation-form';
import { initialValue, inRange, inRangeOrEmpty } from '../form/range';
import { RangeInput } from '../form/range-input';
import { Dialog } from '../frame/dialog';
import type { InstancePageFragment } from '../gql/graphql';
import { storage } from './size';
import { useUpdateInstance } from './update';

interface Props {
  instance: InstancePageFragment;
  onDone: () => void;
}

/** The size that a volume grows to by itself; empty for never. */
export function MaxStorageInput(props: NumberInputProps) {
  const { storageGb: range } = useLimits();
  return <RangeInput label="Grow storage to" description="At the most; leave blank for never" placeholder="Never" suffix=" GiB" range={range} {...props} />;
}

export function StorageGrowthDialog({ instance, opened, onDone }: Props & { opened: boolean }) {
  return (
    <Dialog opened={opened} onClose={onDone} title={`Storage growth of ${instance.name}`}>
      <StorageGrowthForm instance={instance} onDone={onDone} />
    </Dialog>
  );
}

function StorageGrowthForm({ instance: { id, revision, storageGb, storageAutoGrow }, onDone }: Props) {
  const mutation = useUpdateInstance(onDone);
  const limits = useLimits();
  const [percent, size] = [limits.storageAutoGrowPercent, { ...limits.storageGb, min: storageGb }];
  const initialValues: { storageAutoGrow: Record<'thresholdPercent' | 'maxGb', number | string> } = {
    storageAutoGrow: { thresholdPercent: storageAutoGrow?.thresholdPercent ?? initialValue(percent), maxGb: storageAutoGrow?.maxGb ?? '' },
  };
  const form = useForm({
    initialValues,
    validate: { storageAutoGrow: { thresholdPercent: inRange(percent, 'percent'), maxGb: inRangeOrEmpty(size, 'GiB') } },
    validateInputOnChange: true,
  });
  const conflict = useConflict(form, initialValues, ({ storageAutoGrow: { thresholdPercent, maxGb } }) =>
    maxGb === '' ? 'never' : `at ${thresholdPercent}% to ${storage(Number(maxGb))}`,
  );
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      toInput={({ storageAutoGrow: { thresholdPercent, maxGb } }) => ({
        id,
        revision,
        // 0 turns it off.
        storageAutoGrow: maxGb === '' ? { thresholdPercent: 0 } : { thresholdPercent: Number(thresholdPercent), maxGb: Number(maxGb) },
      })}
      submit="Save"
      conflict={conflict}
      onCancel={onDone}
    >
      <MaxStorageInput data-autofocus {...form.getInputProps('storageAutoGrow.maxGb')} />
      <RangeInput label="When this much is used" suffix="%" range={percent} {...form.getInputProps('storageAutoGrow.thresholdPercent')} />
    </MutationForm>
  );
}
