import { Accordion, Alert, Button, Checkbox, Group, NumberInput, PasswordInput, Select, SimpleGrid, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { useControlPlane } from '../control-plane/control-plane';
import { graphql } from '../gql';
import { request } from '../lib/request';
import { type CreateValues, INITIAL, toInput, VALIDATE } from './create-values';
import { ExposureFields } from './exposure-fields';
import { createKeys } from '../lib/idempotency';
import { LabelFields } from './label-fields';
import { fieldErrors } from '../lib/user-errors';

/** Orders an instance and goes to its page, where it is seen coming up. */
export function CreateForm({ onCancel }: { onCancel: () => void }) {
  const [, navigate] = useLocation();
  const { data: controlPlane } = useControlPlane();
  // While typing, not on leaving a field: what appears under a field then would move the button that is being clicked.
  const form = useForm<CreateValues>({ initialValues: INITIAL, validate: VALIDATE, validateInputOnChange: TYPED });
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  const [more, setMore] = useState<string[]>([]);
  const keyFor = useRef(createKeys());

  async function create(values: CreateValues) {
    const input = toInput(values);
    setBusy(true);
    setFailure(undefined);
    try {
      const { createInstance } = await request(CREATE, { input: { ...input, idempotencyKey: keyFor.current(input) } });
      if (createInstance.instance) return navigate(`/instances/${createInstance.instance.id}`);
      const { fields, rest } = fieldErrors(createInstance.userErrors, SHOWN);
      form.setErrors(fields);
      setFailure(rest.join(' ') || undefined);
      if (Object.keys(fields).some((field) => !BASIC.has(field))) setMore(['more']);
    } catch (error) {
      setFailure((error as Error).message);
    } finally {
      setBusy(false);
    }
  }

  return (
    <form
      noValidate
      onSubmit={form.onSubmit(
        (values) => void create(values),
        (errors) => Object.keys(errors).some((field) => !BASIC.has(field)) && setMore(['more']),
      )}
    >
      <TextInput
        label="Name"
        description="Lower-case letters, digits and hyphens. Clients connect to it by this name."
        placeholder="orders"
        autoComplete="off"
        spellCheck={false}
        required
        data-autofocus
        {...form.getInputProps('name')}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }} mt="md">
        <Select
          label="PostgreSQL version"
          data={controlPlane?.postgresVersions ?? []}
          placeholder={controlPlane?.postgresVersions[0] ? `${controlPlane.postgresVersions[0]} (newest)` : 'The newest'}
          clearable
          clearButtonProps={{ 'aria-label': 'The newest version' }}
          {...form.getInputProps('postgresVersion')}
        />
        <NumberInput label="Storage" suffix=" GiB" min={1} allowDecimal={false} {...form.getInputProps('storageGb')} />
        <NumberInput label="CPU" suffix=" m" description="Thousandths of a core" step={100} min={0} allowDecimal={false} {...form.getInputProps('cpuMillis')} />
        <NumberInput label="Memory" suffix=" MiB" description="Request and limit" step={128} min={0} allowDecimal={false} {...form.getInputProps('memoryMb')} />
      </SimpleGrid>
      <Accordion multiple value={more} onChange={setMore} variant="filled" mt="md">
        <Accordion.Item value="more">
          <Accordion.Control fz="sm">More: login, labels, protection, health checks</Accordion.Control>
          <Accordion.Panel>
            <SimpleGrid cols={{ base: 1, xs: 2 }}>
              <TextInput label="User" description="Owns the database" autoComplete="off" spellCheck={false} {...form.getInputProps('username')} />
              <TextInput
                label="Database"
                description="Left empty: named like the user"
                autoComplete="off"
                spellCheck={false}
                {...form.getInputProps('database')}
              />
              <PasswordInput
                label="Password"
                description="Left empty: a strong one is made"
                autoComplete="new-password"
                {...form.getInputProps('password')}
              />
            </SimpleGrid>
            <LabelFields value={form.values.labels} onChange={(labels) => form.setFieldValue('labels', labels)} error={form.errors.labels} />
            {controlPlane && controlPlane.runtime !== 'process' && <ExposureFields form={form} />}
            <SimpleGrid cols={{ base: 1, xs: 2 }} mt="md">
              <NumberInput
                label="Check its health every"
                suffix=" s"
                min={1}
                allowDecimal={false}
                {...form.getInputProps('healthCheck.intervalSeconds')}
              />
              <NumberInput
                label="Patience of a check"
                suffix=" s"
                min={1}
                allowDecimal={false}
                {...form.getInputProps('healthCheck.timeoutSeconds')}
              />
            </SimpleGrid>
            <Checkbox
              mt="md"
              label="Protect it against deletion"
              description="It can be lifted at any time on the instance's page."
              {...form.getInputProps('deletionProtected', { type: 'checkbox' })}
            />
          </Accordion.Panel>
        </Accordion.Item>
      </Accordion>
      {failure && (
        <Alert color="red" variant="outline" mt="md" role="alert">
          {failure}
        </Alert>
      )}
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" loading={busy}>
          Create
        </Button>
      </Group>
    </form>
  );
}

/** A label is added empty, and so is checked with the form only. */
const TYPED = ['name', 'storageGb', 'cpuMillis', 'memoryMb', 'username', 'database', 'password', 'healthCheck.intervalSeconds', 'healthCheck.timeoutSeconds'];

/** The fields in sight at once, and all that can show a mistake. */
const BASIC = new Set(['name', 'postgresVersion', 'storageGb', 'cpuMillis', 'memoryMb']);
const SHOWN = [
  ...BASIC,
  'username',
  'database',
  'password',
  'labels',
  'exposure.type',
  'exposure.sourceRanges',
  'exposure.dnsLabel',
  'healthCheck.intervalSeconds',
  'healthCheck.timeoutSeconds',
];

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
