import { Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { CirclePlay } from 'lucide-react';
import { MutationForm } from '../../form/mutation-form';
import { graphql } from '../../gql';
import { useMutate } from '../../lib/use-mutate';
import type { FormProps, InstanceOperation } from '../kinds';

function ResumeForm({ instance: { id }, onDone }: FormProps) {
  const mutation = useMutate(RESUME, { idempotent: true, onSuccess: onDone });
  const form = useForm({ initialValues: {} });
  return (
    <MutationForm form={form} mutation={mutation} toInput={() => ({ id })} submit="Resume" onCancel={onDone}>
      <Text size="sm">The server is started with its data. Clients can connect when the instance is running, with the same connection string.</Text>
    </MutationForm>
  );
}

const RESUME = graphql(`
  mutation ResumeInstance($input: ResumeInstanceInput!) {
    resumeInstance(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const operation: InstanceOperation = { icon: CirclePlay, Form: ResumeForm };
