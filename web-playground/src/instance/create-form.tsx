import { Accordion, Checkbox, Fieldset, PasswordInput, SegmentedControl, Select, SimpleGrid, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { useControlPlane, useLimits } from '../control-plane/control-plane';
import { CpuInput } from '../form/cpu-input';
import { MutationForm } from '../form/mutation-form';
import { RangeInput } from '../form/range-input';
import { graphql } from '../gql';
import { useMutate } from '../lib/use-mutate';
import { type CreateValues, initialValues, toInput, validation } from './create-values';
import { ExposureFields } from './exposure-fields';
import { IdleSuspendInput } from './idle-suspend';
import { LabelFields } from './label-fields';
import { MaintenanceWindowFields } from './maintenance-window';
import { CUSTOM, presetOf, presets } from './presets';
import { MaxStorageInput } from './storage-growth';

/** Creates an instance and opens its page, which shows the progress. */
export default function CreateForm({ onDone }: { onDone: () => void }) {
  const [, navigate] = useLocation();
  const { postgresVersions = [], runtime } = useControlPlane().data ?? {};
  const limits = useLimits();
  const mutation = useMutate(CREATE, {
    idempotent: true,
    onSuccess: ({ instance }) => {
      onDone();
      if (instance) navigate(`/instances/${instance.id}`);
    },
  });
  // Validated while typing, not on blur: an error that appears on blur moves the button that is being clicked.
  const form = useForm<CreateValues>({ initialValues: initialValues(limits), validate: validation(limits), validateInputOnChange: VALIDATED_ON_CHANGE });
  const sizes = presets(limits);
  const size = presetOf(sizes, form.values);
  const [advanced, setAdvanced] = useState<string[]>([]);

  return (
    <MutationForm
      form={form}
      mutation={mutation}
      toInput={toInput}
      submit="Create"
      onCancel={onDone}
      onInvalid={(fields) => fields.some((field) => !BASIC.has(field)) && setAdvanced(['advanced'])}
    >
      <TextInput
        label="Name"
        description="Lower-case letters, digits and hyphens. Part of the address that clients connect to."
        placeholder="orders"
        autoComplete="off"
        spellCheck={false}
        required
        // The focus trap of the dialog runs before this form is loaded.
        autoFocus
        data-autofocus
        {...form.getInputProps('name')}
      />
      <Select
        mt="md"
        label="PostgreSQL version"
        data={postgresVersions}
        placeholder={postgresVersions[0] ? `${postgresVersions[0]} (latest)` : 'Latest'}
        clearable
        clearButtonProps={{ 'aria-label': 'Use the latest version' }}
        {...form.getInputProps('postgresVersion')}
      />
      <Fieldset legend="Size" variant="unstyled" mt="lg">
        <SegmentedControl
          fullWidth
          aria-label="Size"
          data={[...sizes.map(({ name }) => name), ...(size === CUSTOM ? [CUSTOM] : [])]}
          value={size}
          onChange={(name) => {
            const size = sizes.find((size) => size.name === name);
            if (size) form.setValues({ cpuMillis: size.cpuMillis, memoryMb: size.memoryMb });
          }}
        />
        <SimpleGrid cols={{ base: 1, xs: 3 }} mt="xs">
          <CpuInput range={limits.cpuMillis} {...form.getInputProps('cpuMillis')} />
          <RangeInput label="Memory" suffix=" MiB" step={128} range={limits.memoryMb} {...form.getInputProps('memoryMb')} />
          <RangeInput label="Storage" suffix=" GiB" range={limits.storageGb} {...form.getInputProps('storageGb')} />
        </SimpleGrid>
      </Fieldset>
      <Accordion multiple value={advanced} onChange={setAdvanced} variant="filled" mt="md">
        <Accordion.Item value="advanced">
          <Accordion.Control fz="sm">Advanced settings</Accordion.Control>
          <Accordion.Panel>
            <Fieldset legend="Database" variant="unstyled">
              <SimpleGrid cols={{ base: 1, xs: 2 }}>
                <TextInput label="User" description="Owns the database" autoComplete="off" spellCheck={false} {...form.getInputProps('username')} />
                <TextInput label="Database" description="Defaults to user name" autoComplete="off" spellCheck={false} {...form.getInputProps('database')} />
                <PasswordInput label="Password" description="Leave blank to generate" autoComplete="new-password" {...form.getInputProps('password')} />
              </SimpleGrid>
            </Fieldset>
            <LabelFields value={form.values.labels} onChange={(labels) => form.setFieldValue('labels', labels)} error={form.errors.labels} />
            {runtime && runtime !== 'process' && <ExposureFields form={form} />}
            <Checkbox
              mt="md"
              label="Require TLS"
              description="Refuse clients without TLS. Public access always requires it here."
              {...form.getInputProps('requireTls', { type: 'checkbox' })}
            />
            <Fieldset legend="Operation" variant="unstyled" mt="lg">
              <SimpleGrid cols={{ base: 1, xs: 2 }}>
                <RangeInput label="Health check interval" suffix="s" range={limits.healthCheckIntervalSeconds} {...form.getInputProps('healthCheck.intervalSeconds')} />
                <RangeInput label="Health check timeout" suffix="s" range={limits.healthCheckTimeoutSeconds} {...form.getInputProps('healthCheck.timeoutSeconds')} />
                <IdleSuspendInput {...form.getInputProps('idleSuspendMinutes')} />
                <MaxStorageInput {...form.getInputProps('storageAutoGrow.maxGb')} />
              </SimpleGrid>
              <Fieldset legend="Maintenance window" variant="unstyled" mt="md">
                <MaintenanceWindowFields form={form} />
              </Fieldset>
              <Checkbox
                mt="md"
                label="Deletion protection"
                description="Can be turned off on the page of the instance."
                {...form.getInputProps('deletionProtected', { type: 'checkbox' })}
              />
            </Fieldset>
          </Accordion.Panel>
        </Accordion.Item>
      </Accordion>
    </MutationForm>
  );
}

/** All fields but the labels: a new label is empty, and so is validated when the form is submitted. */
const VALIDATED_ON_CHANGE = ['name', 'storageGb', 'cpuMillis', 'memoryMb', 'username', 'database', 'password', 'healthCheck.intervalSeconds', 'healthCheck.timeoutSeconds', 'idleSuspendMinutes', 'storageAutoGrow.maxGb', 'maintenanceWindow.durationMinutes'];

/** The fields outside of the advanced ones. */
const BASIC = new Set(['name', 'postgresVersion', 'storageGb', 'cpuMillis', 'memoryMb']);

const CREATE = graphql(`
  mutation CreateInstance($input: CreateInstanceInput!) {
    createInstance(input: $input) {
      instance {
        id
      }
      userErrors {
        field
        message
      }
    }
  }
`);
