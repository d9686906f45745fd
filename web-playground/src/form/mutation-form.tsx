import { Alert, Button, Group } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import type { UseMutationResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { fieldErrors, InputError } from '../lib/user-errors';

interface Props<Values, Input> {
  form: UseFormReturnType<Values>;
  mutation: Pick<UseMutationResult<unknown, Error, Input>, 'mutate' | 'isPending' | 'error'>;
  toInput: (values: Values) => Input;
  /** The label of the button that submits. */
  submit: string;
  color?: string;
  disabled?: boolean;
  onCancel: () => void;
  /** Called with the paths of the fields that have errors, found by the form or by the server. */
  onInvalid?: (fields: string[]) => void;
  children: ReactNode;
}

/** Sends the values of a form with a mutation. Values are kept when it fails, and errors appear at their fields. */
export function MutationForm<Values extends object, Input>(props: Props<Values, Input>) {
  const { form, mutation, toInput, submit, color, disabled, onCancel, onInvalid, children } = props;
  const { mutate, isPending, error } = mutation;
  const failure = error instanceof InputError ? fieldErrors(error.userErrors, form.values).rest.join(' ') : error?.message;

  function send(values: Values) {
    mutate(toInput(values), {
      onError: (error) => {
        if (!(error instanceof InputError)) return;
        const { fields } = fieldErrors(error.userErrors, values);
        form.setErrors(fields);
        onInvalid?.(Object.keys(fields));
      },
    });
  }

  return (
    <form noValidate onSubmit={form.onSubmit(send, (errors) => onInvalid?.(Object.keys(errors)))}>
      {children}
      {failure && (
        <Alert color="red" variant="outline" mt="md" role="alert">
          {failure}
        </Alert>
      )}
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" color={color} disabled={disabled} loading={isPending}>
          {submit}
        </Button>
      </Group>
    </form>
  );
}
