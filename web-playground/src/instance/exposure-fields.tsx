import { Fieldset, Radio, SimpleGrid, TagsInput, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import type { CreateValues } from './create-values';

/** Who can reach the instance, where the runtime offers a choice. */
export function ExposureFields({ form }: { form: UseFormReturnType<CreateValues> }) {
  return (
    <Fieldset legend="Who can reach it" variant="unstyled" mt="md">
      <Radio.Group aria-label="Who can reach it" {...form.getInputProps('exposure.type')}>
        <Radio value="CLUSTER" label="Clients inside of the cluster" />
        <Radio value="LOAD_BALANCER" label="Clients outside too, by a load balancer" mt="xs" />
      </Radio.Group>
      {form.values.exposure.type === 'LOAD_BALANCER' && (
        <SimpleGrid cols={{ base: 1, xs: 2 }} mt="xs">
          <TagsInput
            label="From these address ranges only"
            description="Left empty: from everywhere"
            placeholder="203.0.113.0/24"
            {...form.getInputProps('exposure.sourceRanges')}
          />
          <TextInput label="DNS label" description="Left empty: an address only" spellCheck={false} {...form.getInputProps('exposure.dnsLabel')} />
        </SimpleGrid>
      )}
    </Fieldset>
  );
}
