import { Alert, Button, Code, Group, Modal, NumberInput, Radio, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { CopyButton } from '../frame/copy-button';
import { graphql } from '../gql';
import type { TokenRole } from '../gql/graphql';
import { fieldErrors } from '../lib/user-errors';
import { request } from '../lib/request';
import { ROLES } from './words';

export function CreateTokenDialog({ opened, onClose, onMade }: { opened: boolean; onClose: () => void; onMade: () => void }) {
  return (
    // A click beside it must not throw away a secret that is shown once.
    <Modal opened={opened} onClose={onClose} title="New token" closeOnClickOutside={false}>
      <CreateTokenForm onClose={onClose} onMade={onMade} />
    </Modal>
  );
}

interface Values {
  name: string;
  role: TokenRole;
  /** Empty for a token that does not end by itself. */
  expiresInDays: number | '';
}

function CreateTokenForm({ onClose, onMade }: { onClose: () => void; onMade: () => void }) {
  const form = useForm<Values>({
    initialValues: { name: '', role: 'VIEWER', expiresInDays: 90 },
    validate: {
      name: (name) => (name.trim() ? null : 'A name is needed'),
      expiresInDays: (days) => (days === '' || (days >= 1 && days <= 3650) ? null : '1 to 3650 days'),
    },
  });
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  const [secret, setSecret] = useState<string>();

  async function make({ name, role, expiresInDays }: Values) {
    setBusy(true);
    setFailure(undefined);
    try {
      const input = { name: name.trim(), role, expiresInDays: expiresInDays === '' ? null : expiresInDays };
      const { createApiToken } = await request(CREATE, { input });
      const { fields, rest } = fieldErrors(createApiToken.userErrors, ['name', 'role', 'expiresInDays']);
      form.setErrors(fields);
      setFailure(rest.join(' ') || undefined);
      if (!createApiToken.secret) return;
      setSecret(createApiToken.secret);
      onMade();
    } catch (error) {
      setFailure((error as Error).message);
    } finally {
      setBusy(false);
    }
  }

  if (secret) {
    return (
      <>
        <Text size="sm" mb="sm">
          This is its secret. It is shown now and never again: keep it where its bearer finds it.
        </Text>
        <Group gap="xs" wrap="nowrap" align="flex-start">
          <Code block flex={1} data-testid="token-secret" tabIndex={0} role="group" aria-label="Secret" style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
            {secret}
          </Code>
          <CopyButton label="Copy the secret" text={async () => secret} onError={setFailure} />
        </Group>
        {failure && (
          <Text className="error" size="sm" mt="xs" role="alert">
            {failure}
          </Text>
        )}
        <Group justify="flex-end" mt="lg">
          <Button onClick={onClose}>Done</Button>
        </Group>
      </>
    );
  }

  return (
    <form noValidate onSubmit={form.onSubmit((values) => void make(values))}>
      <TextInput label="Name" description="Who or what carries it" placeholder="dashboard" autoComplete="off" required data-autofocus {...form.getInputProps('name')} />
      <Radio.Group label="Role" mt="md" {...form.getInputProps('role')}>
        <Stack gap="xs" mt={6}>
          {Object.entries(ROLES).map(([role, { name, may }]) => (
            <Radio key={role} value={role} label={name} description={may} />
          ))}
        </Stack>
      </Radio.Group>
      <NumberInput
        label="Ends after"
        description="Left empty: it does not end by itself"
        suffix=" days"
        min={1}
        max={3650}
        allowDecimal={false}
        mt="md"
        {...form.getInputProps('expiresInDays')}
      />
      {failure && (
        <Alert color="red" variant="outline" mt="md" role="alert">
          {failure}
        </Alert>
      )}
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={busy}>
          Make it
        </Button>
      </Group>
    </form>
  );
}

const CREATE = graphql(`
  mutation CreateToken($input: CreateApiTokenInput!) {
    createApiToken(input: $input) {
      secret
      userErrors {
        field
        message
      }
    }
  }
`);
