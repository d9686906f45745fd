import { Switch } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useLimits } from '../control-plane/control-plane';
import { useConflict } from '../form/conflict';
import { MutationForm } from '../form/mutation-form';
import { inRange } from '../form/range';
import { RangeInput } from '../form/range-input';
import type { BackupsFragment } from '../gql/graphql';
import { useUpdateInstance } from '../instance/update';

export function BackupPolicyForm({ id, revision, policy, onDone }: { id: string; revision: string; policy: BackupsFragment['backupPolicy']; onDone: () => void }) {
  const mutation = useUpdateInstance(onDone);
  const { backupIntervalHours, backupRetentionDays } = useLimits();
  const initialValues = {
    backups: { enabled: policy.enabled, intervalHours: policy.intervalHours as number | string, retentionDays: policy.retentionDays as number | string },
  };
  const form = useForm({
    initialValues,
    validate: { backups: { intervalHours: inRange(backupIntervalHours, 'hours'), retentionDays: inRange(backupRetentionDays, 'days') } },
    validateInputOnChange: true,
  });
  const conflict = useConflict(form, initialValues, ({ backups: { enabled, intervalHours, retentionDays } }) =>
    enabled ? `on, every ${intervalHours}h, kept for ${retentionDays} days` : 'off',
  );
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      toInput={({ backups: { enabled, intervalHours, retentionDays } }) => ({
        id,
        revision,
        backups: { enabled: enabled === policy.enabled ? undefined : enabled, intervalHours: Number(intervalHours), retentionDays: Number(retentionDays) },
      })}
      submit="Save"
      conflict={conflict}
      onCancel={onDone}
    >
      <Switch label="Back it up" {...form.getInputProps('backups.enabled', { type: 'checkbox' })} />
      <RangeInput mt="md" label="Retention" description="Days for which every point in time stays recoverable" suffix="d" range={backupRetentionDays} {...form.getInputProps('backups.retentionDays')} />
      <RangeInput mt="md" label="Interval" description="Hours from one base backup to the next" suffix="h" range={backupIntervalHours} {...form.getInputProps('backups.intervalHours')} />
    </MutationForm>
  );
}
