import type { UseFormReturnType } from '@mantine/form';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { MutationForm } from '../form/mutation-form';
import type { Outcome } from './outcome';
import { Preview } from './preview';
import type { Refusal, Target } from './targets';

/** What the form of one action gets. */
export interface BulkFormProps {
  /** Undefined while they are read. */
  targets: readonly Target[] | undefined;
  start: (ids: readonly string[], send: (id: string) => Promise<Outcome>) => void;
  onCancel: () => void;
}

interface ConfirmProps<Values> {
  form: UseFormReturnType<Values>;
  targets: readonly Target[] | undefined;
  /** Why it is not done to an instance; undefined if it is. */
  refusal: (target: Target) => string | undefined;
  /** What the list says next to an affected instance. */
  detail?: (target: Target) => string;
  /** `restarted` */
  participle: string;
  submit: string;
  color?: string;
  disabled?: boolean;
  onSubmit: (ids: string[], values: Values) => void;
  onCancel: () => void;
  /** Above the lists, and below. */
  children: ReactNode;
  after?: (affected: number) => ReactNode;
}

/** The frame of the forms: the fields of the action, and to what it will be done. */
export function ConfirmForm<Values extends object>(props: ConfirmProps<Values>) {
  const { form, targets, refusal, detail, participle, submit, color, disabled, onSubmit, onCancel, children, after } = props;
  const affected: { id: string; name: string; detail?: string }[] = [];
  const refused: Refusal[] = [];
  for (const target of targets ?? []) {
    const { id, name } = target;
    const reason = refusal(target);
    if (reason === undefined) affected.push({ id, name, detail: detail?.(target) });
    else refused.push({ id, name, reason });
  }
  const ids = affected.map(({ id }) => id);
  const mutation = useMutation<void, Error, Values>({ mutationFn: async (values) => onSubmit(ids, values) });
  return (
    <MutationForm form={form} mutation={mutation} toInput={(values) => values} submit={submit} color={color} disabled={disabled || ids.length === 0} onCancel={onCancel}>
      {children}
      <Preview affected={targets && affected} refused={refused} participle={participle} />
      {after?.(affected.length)}
    </MutationForm>
  );
}
