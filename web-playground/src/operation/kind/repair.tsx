import { Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { Wrench } from 'lucide-react';
import { MutationForm } from '../../form/mutation-form';
import { graphql } from '../../gql';
import { useMutate } from '../../lib/use-mutate';
import type { FormProps, InstanceOperation } from '../kinds';

function RepairForm({ instance: { id }, onDone }: FormProps) {
  const mutation = useMutate(REPAIR, { idempotent: true, onSuccess: onDone });
  const form = useForm({ initialValues: {} });
  return (
    <MutationForm form={form} mutation={mutation} toInput={() => ({ id })} submit="Repair" onCancel={onDone}>
      <Text size="sm">
        The instance is compared with what was deployed. What somebody has deleted or edited is put back, and the operation says what that was. Clients keep their
        connections unless the server itself has to be replaced.
      </Text>
    </MutationForm>
  );
}

const REPAIR = graphql(`
  mutation RepairInstance($input: RepairInstanceInput!) {
    repairInstance(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const operation: InstanceOperation = { icon: Wrench, Form: RepairForm };
