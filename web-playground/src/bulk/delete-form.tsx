import { Checkbox, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { createKeysById } from '../lib/idempotency';
import { type BulkFormProps, ConfirmForm } from './confirm-form';
import { remove } from './send';
import { refusalOf } from './targets';

/** Asks for the number of the instances, as a protection against deleting more than was meant. */
export function DeleteForm({ targets, start, onCancel }: BulkFormProps) {
  const [keyFor] = useState(createKeysById);
  const form = useForm({ initialValues: { confirmation: '', keepVolumes: false, finalBackup: false } });
  const refusal = (target: Parameters<typeof refusalOf>[0]) => refusalOf(target, 'DELETE');
  const count = targets?.filter((target) => refusal(target) === undefined).length ?? 0;
  return (
    <ConfirmForm
      form={form}
      targets={targets}
      refusal={refusal}
      participle="deleted"
      submit="Delete"
      color="red"
      disabled={form.values.confirmation.trim() !== `delete ${count}`}
      onSubmit={(ids, { keepVolumes, finalBackup }) =>
        start(ids, (id) => remove({ id, keepVolumes, finalBackup: finalBackup || undefined, idempotencyKey: keyFor(id) }))
      }
      onCancel={onCancel}
      after={(count) =>
        count > 0 && (
          <TextInput
            mt="md"
            label={`Type "delete ${count}" to confirm`}
            autoComplete="off"
            spellCheck={false}
            {...form.getInputProps('confirmation')}
          />
        )
      }
    >
      <Text size="sm">
        The databases are stopped and their data is deleted, unless you keep the volumes. Backups of them are kept for their days, with everything that was committed.
      </Text>
      <Checkbox mt="md" label="Keep the volumes" data-autofocus {...form.getInputProps('keepVolumes', { type: 'checkbox' })} />
      <Checkbox
        mt="md"
        label="Take final backups first"
        description="Nothing of an instance is deleted before its backup is complete. One that is not backed up refuses it."
        {...form.getInputProps('finalBackup', { type: 'checkbox' })}
      />
    </ConfirmForm>
  );
}
