import { Fieldset, Radio, SimpleGrid, TagsInput, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import type { CreateValues } from './create-values';

/** Private or public access, where the runtime supports both. */
export function ExposureFields({ form }: { form: UseFormReturnType<CreateValues> }) {
  return (
    <Fieldset legend="Network access" variant="unstyled" mt="md">
      <Radio.Group aria-label="Network access" {...form.getInputProps('exposure.type')}>
        <Radio value="CLUSTER" label="Private" description="Clients in the cluster" />
        <Radio value="LOAD_BALANCER" label="Public (load balancer)" mt="xs" />
      </Radio.Group>
      {form.values.exposure.type === 'LOAD_BALANCER' && (
        <SimpleGrid cols={{ base: 1, xs: 2 }} mt="xs">
          <TagsInput
            label="Allowed IP ranges (CIDR)"
            description="Leave blank to allow any"
            placeholder="203.0.113.0/24"
            {...form.getInputProps('exposure.sourceRanges')}
          />
          <TextInput label="DNS label" description="Optional" spellCheck={false} {...form.getInputProps('exposure.dnsLabel')} />
        </SimpleGrid>
      )}
    </Fieldset>
  );
}
