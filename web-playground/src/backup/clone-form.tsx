import { Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useLocation } from 'wouter';
import { MutationForm } from '../form/mutation-form';
import { graphql } from '../gql';
import type { InstancePageFragment } from '../gql/graphql';
import { useMutate } from '../lib/use-mutate';
import { NameOfCopy, PasswordOfCopy, nameOfCopy } from './copy-fields';

/** Clones into a new instance and opens its page, which shows the progress. */
export function CloneForm({ source, onCancel }: { source: InstancePageFragment; onCancel: () => void }) {
  const [, navigate] = useLocation();
  const mutation = useMutate(CLONE, { idempotent: true, onSuccess: ({ instance }) => instance && navigate(`/instances/${instance.id}`) });
  const form = useForm({ initialValues: { name: '', password: '' }, validate: { name: nameOfCopy } });
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      toInput={({ name, password }) => ({ sourceId: source.id, name, password: password || undefined })}
      submit="Clone"
      onCancel={onCancel}
    >
      <Text size="sm">
        A new instance gets the data of {source.name} as it is now, and its size and settings. {source.name} goes on. Passwords of it do not work in the new one.
      </Text>
      <NameOfCopy placeholder={`${source.name}-copy`} {...form.getInputProps('name')} />
      <PasswordOfCopy {...form.getInputProps('password')} />
    </MutationForm>
  );
}

const CLONE = graphql(`
  mutation CloneInstance($input: CloneInstanceInput!) {
    cloneInstance(input: $input) {
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
