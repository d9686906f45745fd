import { Radio, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useLimits } from '../control-plane/control-plane';
import { MutationForm } from '../form/mutation-form';
import { initialValue, inRange } from '../form/range';
import { RangeInput } from '../form/range-input';
import { Dialog } from '../frame/dialog';
import { Secret } from '../frame/secret';
import { graphql } from '../gql';
import type { TokenRole } from '../gql/graphql';
import { label } from '../lib/label';
import { useMutate } from '../lib/use-mutate';
import { useReloadTokens } from './list';
import { ROLES } from './roles';

export function CreateTokenDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    // A click outside must not close it, because the secret is shown only once.
    <Dialog opened={opened} onClose={onClose} title="Create token" closeOnClickOutside={false}>
      <CreateTokenForm onClose={onClose} />
    </Dialog>
  );
}

interface Values {
  name: string;
  role: TokenRole;
  /** Empty for a token that does not expire. */
  expiresInDays: number | string;
}

function CreateTokenForm({ onClose }: { onClose: () => void }) {
  const { tokenNameLength, tokenExpiresInDays } = useLimits();
  const reload = useReloadTokens();
  const mutation = useMutate(CREATE, { onSuccess: reload });
  const checkDays = inRange(tokenExpiresInDays, 'days');
  const form = useForm<Values>({
    initialValues: { name: '', role: 'VIEWER', expiresInDays: initialValue(tokenExpiresInDays) },
    validate: {
      name: (name) => inRange(tokenNameLength, 'characters')([...name.trim()].length),
      expiresInDays: (days) => (days === '' ? null : checkDays(days)),
    },
  });

  if (mutation.data?.secret) return <Secret what="secret" secret={mutation.data.secret} onClose={onClose} />;
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      toInput={({ name, role, expiresInDays }) => ({
        name: name.trim(),
        role,
        ...(expiresInDays === '' ? { neverExpires: true } : { expiresInDays: Number(expiresInDays) }),
      })}
      submit="Create"
      onCancel={onClose}
    >
      <TextInput label="Name" description="Purpose of the token" placeholder="dashboard" autoComplete="off" required data-autofocus {...form.getInputProps('name')} />
      <Radio.Group label="Role" mt="md" {...form.getInputProps('role')}>
        <Stack gap="xs" mt={6}>
          {Object.entries(ROLES).map(([role, description]) => (
            <Radio key={role} value={role} label={label(role)} description={description} />
          ))}
        </Stack>
      </Radio.Group>
      <RangeInput
        label="Expires"
        description="Days from now; leave blank for never"
        suffix=" days"
        range={tokenExpiresInDays}
        mt="md"
        {...form.getInputProps('expiresInDays')}
      />
    </MutationForm>
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
