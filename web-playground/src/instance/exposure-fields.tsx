import { Fieldset, Radio, SimpleGrid, TagsInput, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import type { ExposureInput } from '../gql/graphql';

/** The network access of an instance, as a form has it. */
export interface ExposureValues {
  type: 'CLUSTER' | 'LOAD_BALANCER';
  sourceRanges: string[];
  dnsLabel: string;
}

/** The input of a mutation. */
export function exposureInput({ type, sourceRanges, dnsLabel }: ExposureValues): ExposureInput {
  return type === 'CLUSTER' ? { type } : { type, sourceRanges, dnsLabel: dnsLabel || null };
}

export function exposureText({ type, sourceRanges }: Pick<ExposureValues, 'type' | 'sourceRanges'>, cluster = 'private'): string {
  return type === 'CLUSTER' ? cluster : `Public (load balancer), from ${sourceRanges.join(', ') || 'any IP address'}`;
}

/** Private or public access, where the runtime supports both. */
export function ExposureFields<Values extends { exposure: ExposureValues }>({ form }: { form: UseFormReturnType<Values> }) {
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
