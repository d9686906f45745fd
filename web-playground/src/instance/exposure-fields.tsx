import { Fieldset, Radio, SimpleGrid, TagsInput, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import type { CreateValues } from './create-values';

/** Private or public access, where the runtime supports both. */
export function ExposureFields({ form }: { form: UseFormReturnType<CreateValues> }) {
  return (
    <Fieldset legend="Access" variant="unstyled" mt="md">
      <Radio.Group aria-label="Access" {...form.getInputProps('exposure.type')}>
        <Radio value="CLUSTER" label="Private: clients in the cluster" />
        <Radio value="LOAD_BALANCER" label="Public: through a load balancer" mt="xs" />
      </Radio.Group>
      {form.values.exposure.type === 'LOAD_BALANCER' && (
        <SimpleGrid cols={{ base: 1, xs: 2 }} mt="xs">
          <TagsInput
            label="Allowed address ranges"
            description="Default: any address"
            placeholder="203.0.113.0/24"
            {...form.getInputProps('exposure.sourceRanges')}
          />
          <TextInput label="DNS label" description="Default: none" spellCheck={false} {...form.getInputProps('exposure.dnsLabel')} />
        </SimpleGrid>
      )}
    </Fieldset>
  );
}
