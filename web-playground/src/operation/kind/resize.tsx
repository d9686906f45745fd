import { SimpleGrid, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { Scaling } from 'lucide-react';
import { useLimits } from '../../control-plane/control-plane';
import { useConflict } from '../../form/conflict';
import { CpuInput } from '../../form/cpu-input';
import { MutationForm } from '../../form/mutation-form';
import { inRange } from '../../form/range';
import { RangeInput } from '../../form/range-input';
import { graphql } from '../../gql';
import { cpu, memory, storage } from '../../instance/size';
import { useMutate } from '../../lib/use-mutate';
import type { FormProps, InstanceOperation } from '../kinds';

function ResizeForm({ instance, onDone }: FormProps) {
  const limits = useLimits();
  const mutation = useMutate(RESIZE, { idempotent: true, onSuccess: onDone });
  const storageGb = { ...limits.storageGb, min: instance.storageGb };
  const initialValues: Record<'cpuMillis' | 'memoryMb' | 'storageGb', number | string> = {
    cpuMillis: instance.cpuMillis,
    memoryMb: instance.memoryMb,
    storageGb: instance.storageGb,
  };
  const form = useForm({
    initialValues,
    validate: {
      cpuMillis: inRange(limits.cpuMillis, 'vCPU', 1000),
      memoryMb: inRange(limits.memoryMb, 'MiB'),
      storageGb: inRange(storageGb, 'GiB'),
    },
    validateInputOnChange: true,
  });
  const conflict = useConflict(form, initialValues, ({ cpuMillis, memoryMb, storageGb }) => `${cpu(Number(cpuMillis))}, ${memory(Number(memoryMb))}, ${storage(Number(storageGb))}`);
  // What is not changed is not sent, so that it stays as it is even if it is not up to date here.
  function toInput(values: typeof form.values) {
    const changed = (name: keyof typeof values) => (form.isDirty(name) ? { [name]: Number(values[name]) } : {});
    return { id: instance.id, revision: instance.revision, ...changed('cpuMillis'), ...changed('memoryMb'), ...changed('storageGb') };
  }
  return (
    <MutationForm form={form} mutation={mutation} toInput={toInput} submit="Resize" disabled={!form.isDirty()} conflict={conflict} onCancel={onDone}>
      <Text size="sm">
        Another CPU or memory may restart the server: client connections are then closed, and clients can reconnect. Storage grows while the server runs, and cannot shrink.
      </Text>
      <SimpleGrid cols={{ base: 1, xs: 2 }} mt="md">
        <CpuInput range={limits.cpuMillis} data-autofocus {...form.getInputProps('cpuMillis')} />
        <RangeInput label="Memory" suffix=" MiB" step={128} range={limits.memoryMb} {...form.getInputProps('memoryMb')} />
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
