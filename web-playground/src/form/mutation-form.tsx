import { Alert, Button, Group } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import type { UseMutationResult } from '@tanstack/react-query';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { type Loss, useLoss } from '../frame/dialog';
import { RequestError } from '../lib/request';
import { fieldErrors, InputError, isRevisionError } from '../lib/user-errors';
import { useOnReconnect } from '../live/state';
import { type Conflict, ConflictAlert } from './conflict';
import { focusFirstInvalid } from './focus-first-invalid';
import classes from './mutation-form.module.css';

interface Props<Values, Input> {
  form: UseFormReturnType<Values>;
  mutation: Pick<UseMutationResult<unknown, Error, Input>, 'mutate' | 'isPending' | 'error' | 'reset'>;
  toInput: (values: Values) => Input;
  /** The label of the button that submits. */
  submit: string;
  color?: string;
  disabled?: boolean;
  onCancel: () => void;
  /** From `useConflict`. */
  conflict?: Conflict<Values>;
  /** Called with the paths of the fields that have errors, found by the form or by the server. */
  onInvalid?: (fields: string[]) => void;
  children: ReactNode;
}

const ENTERED: Loss = { title: 'Discard what you entered?', text: 'The form is not saved.', confirm: 'Discard' };

/** Sends the values of a form with a mutation. Values are kept when it fails, and errors appear at their fields, of which the first gets the focus. */
export function MutationForm<Values extends object, Input>(props: Props<Values, Input>) {
  const { form, mutation, toInput, submit, color, disabled, onCancel, conflict, onInvalid, children } = props;
  const { mutate, isPending, error, reset } = mutation;
  const failure =
    error instanceof InputError
      ? fieldErrors(
          error.userErrors.filter((error) => !isRevisionError(error)),
          form.values,
        ).rest.join('. ')
      : error?.message;
  const wrong = Object.keys(form.errors).length;
  // The revision that was refused: the instance has changed, and its live value is on the way.
  const [refused, setRefused] = useState<unknown>();
  const element = useRef<HTMLFormElement>(null);
  // What is typed to confirm a deletion is no loss.
  useLoss(color !== 'red' && form.isDirty() ? ENTERED : undefined);
  // The message that the server cannot be reached goes when it can be.
  useOnReconnect(() => error instanceof RequestError && error.transient && reset());

  function report(fields: string[]) {
    onInvalid?.(fields);
    if (element.current && fields.length) focusFirstInvalid(element.current);
  }

  function send(values: Values) {
    mutate(toInput(values), {
      onError: (error) => {
        if (!(error instanceof InputError)) return;
        if (error.userErrors.some(isRevisionError)) setRefused(revisionOf(toInput(values)));
        const { fields } = fieldErrors(error.userErrors, values);
        form.setErrors(fields);
        report(Object.keys(fields));
      },
    });
  }

  // What is edited is still the same, so it is sent again. If somebody has changed that too, the user decides.
  useEffect(() => {
    if (refused === undefined) return;
    if (conflict) setRefused(undefined);
    else if (revisionOf(toInput(form.values)) !== refused) {
      setRefused(undefined);
      send(form.values);
    }
  });

  return (
    <form ref={element} noValidate onSubmit={form.onSubmit(send, (errors) => report(Object.keys(errors)))}>
      {children}
      {conflict && <ConflictAlert conflict={conflict} mine={form.values} />}
      {failure && (
        <Alert color="red" variant="outline" mt="md" role="alert">
          {failure}
        </Alert>
      )}
      <Group justify="flex-end" className={classes.footer}>
        <span className="error" role="alert">
          {wrong > 0 && `${wrong} ${wrong === 1 ? 'field has an error' : 'fields have errors'}`}
        </span>
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" color={color} disabled={disabled || conflict !== undefined} loading={isPending || refused !== undefined}>
          {submit}
        </Button>
      </Group>
    </form>
  );
}

function revisionOf(input: unknown): unknown {
  return (input as { revision?: unknown }).revision;
}
