import { SimpleGrid, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { Scaling } from 'lucide-react';
import { useLimits } from '../../control-plane/control-plane';
import { MutationForm } from '../../form/mutation-form';
import { inRange } from '../../form/range';
import { RangeInput } from '../../form/range-input';
import { graphql } from '../../gql';
import { useMutate } from '../../lib/use-mutate';
import type { FormProps, InstanceOperation } from '../kinds';

function ResizeForm({ instance, onDone }: FormProps) {
  const limits = useLimits();
  const mutation = useMutate(RESIZE, { idempotent: true, onSuccess: onDone });
  const storageGb = { ...limits.storageGb, min: instance.storageGb };
  const form = useForm({
    initialValues: { cpuMillis: instance.cpuMillis as number | string, memoryMb: instance.memoryMb as number | string, storageGb: instance.storageGb as number | string },
    validate: {
      cpuMillis: inRange(limits.cpuMillis, 'thousandths of a core'),
      memoryMb: inRange(limits.memoryMb, 'MiB'),
      storageGb: inRange(storageGb, 'GiB'),
    },
    validateInputOnChange: true,
  });
  // What is not changed is not sent, so that it stays as it is even if it is not up to date here.
  function toInput(values: typeof form.values) {
    const changed = (name: keyof typeof values) => (form.isDirty(name) ? { [name]: Number(values[name]) } : {});
    return { id: instance.id, ...changed('cpuMillis'), ...changed('memoryMb'), ...changed('storageGb') };
  }
  return (
    <MutationForm form={form} mutation={mutation} toInput={toInput} submit="Resize" disabled={!form.isDirty()} onCancel={onDone}>
      <Text size="sm">
        Another CPU or memory may restart the server: client connections are then closed, and clients can reconnect. Storage grows while the server runs, and cannot shrink.
      </Text>
      <SimpleGrid cols={{ base: 1, xs: 2 }} mt="md">
        <RangeInput
          label="CPU"
          suffix=" m"
          description="Thousandths of a core"
          step={100}
          range={limits.cpuMillis}
          data-autofocus
          {...form.getInputProps('cpuMillis')}
        />
        <RangeInput label="Memory" suffix=" MiB" description="Request and limit" step={128} range={limits.memoryMb} {...form.getInputProps('memoryMb')} />
        <RangeInput label="Storage" suffix=" GiB" description={`At least ${storageGb.min} GiB`} range={storageGb} {...form.getInputProps('storageGb')} />
      </SimpleGrid>
    </MutationForm>
  );
}

const RESIZE = graphql(`
  mutation ResizeInstance($input: ResizeInstanceInput!) {
    resizeInstance(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const operation: InstanceOperation = { icon: Scaling, Form: ResizeForm };
