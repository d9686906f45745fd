import { MultiSelect } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useLimits } from '../control-plane/control-plane';
import * as checks from '../instance/checks';
import { LabelFields } from '../instance/label-fields';
import { labelText } from '../instance/label-text';
import { type BulkFormProps, ConfirmForm } from './confirm-form';
import { changed, keysOf } from './labels';
import { changeLabels } from './send';

interface Values {
  set: checks.LabelText[];
  remove: string[];
}

export function LabelsForm({ targets, start, onCancel }: BulkFormProps) {
  const limits = useLimits();
  const form = useForm<Values>({ initialValues: { set: [{ key: '', value: '' }], remove: [] }, validate: { set: (set) => checks.labels(limits)(set.filter(isEntered)) } });
  const change = { set: form.values.set.filter(isEntered), remove: form.values.remove };
  return (
    <ConfirmForm
      form={form}
      targets={targets}
      refusal={({ state, labels }) => {
        if (state === 'DELETED') return 'it is deleted';
        const result = changed(labels, change);
        if (!result) return labels.map(labelText).join(', ') || 'no labels';
        return result.length > limits.labels.max ? `it would have more than ${limits.labels.max} labels` : undefined;
      }}
      detail={({ labels }) => changed(labels, change)?.map(labelText).join(', ') || 'no labels'}
      participle="changed"
      submit="Change"
      onSubmit={(ids) => start(ids, (id) => changeLabels(id, change))}
      onCancel={onCancel}
    >
      <LabelFields
        legend="Set labels"
        value={form.values.set}
        onChange={(set) => {
          form.setFieldValue('set', set);
          form.clearFieldError('set');
        }}
        error={form.errors.set}
        autoFocus
      />
      <MultiSelect
        mt="md"
        label="Remove labels"
        placeholder={form.values.remove.length ? undefined : 'Keys'}
        data={keysOf(targets ?? [])}
        searchable
        clearable
        clearButtonProps={{ 'aria-label': 'Remove none' }}
        {...form.getInputProps('remove')}
      />
    </ConfirmForm>
  );
}

/** An empty line says nothing. */
function isEntered({ key, value }: checks.LabelText): boolean {
  return key !== '' || value !== '';
}
