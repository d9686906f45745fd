import { Checkbox, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { SlidersHorizontal } from 'lucide-react';
import { useConflict } from '../../form/conflict';
import { MutationForm } from '../../form/mutation-form';
import { Loading } from '../../frame/loading';
import { graphql } from '../../gql';
import { useMutate } from '../../lib/use-mutate';
import { InputError } from '../../lib/user-errors';
import { useParameters } from '../../parameter/catalog';
import { changesOf, errorsOf, initialRows } from '../../parameter/changes';
import { ParameterFields } from '../../parameter/fields';
import type { FormProps, InstanceOperation } from '../kinds';

function SetParametersForm({ instance: { id, revision, postgresVersion, parameters }, onDone }: FormProps) {
  const catalog = useParameters(postgresVersion);
  const mutation = useMutate(SET_PARAMETERS, { idempotent: true, onSuccess: onDone });
  const form = useForm({ initialValues: { parameters: initialRows(parameters), allowRestart: false } });
  const conflict = useConflict(form, { parameters: initialRows(parameters) }, ({ parameters }) => parameters.map(({ name, value }) => `${name} = ${value}`).join(', ') || 'defaults');
  if (!catalog.data) return catalog.error ? <Text size="sm">{catalog.error.message}</Text> : <Loading />;
  const rows = form.values.parameters;
  const waiting = parameters.some(({ pendingRestart }) => pendingRestart);
  const needsRestart = waiting || rows.some(({ name }) => catalog.data.get(name)?.needsRestart);
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      toInput={({ parameters: rows, allowRestart }) => ({ id, revision, parameters: changesOf(parameters, rows), allowRestart })}
      submit="Apply"
      conflict={conflict}
      disabled={rows.length === 0 && parameters.length === 0}
      onCancel={onDone}
    >
      <Text size="sm">
        Values are checked before anything changes. If the server does not start with them, it gets its former values again. A parameter that is removed here has its
        default again.
      </Text>
      <ParameterFields
        catalog={catalog.data}
        rows={rows}
        errors={mutation.error instanceof InputError ? errorsOf(mutation.error.userErrors) : []}
        onChange={(rows) => {
          // The errors are about the former rows.
          mutation.reset();
          form.setFieldValue('parameters', rows);
        }}
      />
      <Checkbox
        mt="md"
        label="Restart the server if needed"
        description={needsRestart ? 'Without it, parameters that need a restart wait for the next one.' : 'None of these parameters needs a restart.'}
        {...form.getInputProps('allowRestart', { type: 'checkbox' })}
      />
    </MutationForm>
  );
}

const SET_PARAMETERS = graphql(`
  mutation SetParameters($input: SetParametersInput!) {
    setParameters(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const operation: InstanceOperation = { icon: SlidersHorizontal, Form: SetParametersForm };
