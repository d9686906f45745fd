import { Switch } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useLimits } from '../control-plane/control-plane';
import { MutationForm } from '../form/mutation-form';
import { inRange } from '../form/range';
import { RangeInput } from '../form/range-input';
import type { BackupsFragment } from '../gql/graphql';
import { useUpdateInstance } from '../instance/update';

export function BackupPolicyForm({ id, policy, onDone }: { id: string; policy: BackupsFragment['backupPolicy']; onDone: () => void }) {
  const mutation = useUpdateInstance(onDone);
  const { backupIntervalHours, backupRetentionDays } = useLimits();
  const form = useForm({
    initialValues: {
      backups: { enabled: policy.enabled, intervalHours: policy.intervalHours as number | string, retentionDays: policy.retentionDays as number | string },
    },
    validate: { backups: { intervalHours: inRange(backupIntervalHours, 'hours'), retentionDays: inRange(backupRetentionDays, 'days') } },
    validateInputOnChange: true,
  });
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      toInput={({ backups: { enabled, intervalHours, retentionDays } }) => ({
        id,
        backups: { enabled: enabled === policy.enabled ? undefined : enabled, intervalHours: Number(intervalHours), retentionDays: Number(retentionDays) },
      })}
      submit="Save"
      onCancel={onDone}
    >
      <Switch label="Back it up" {...form.getInputProps('backups.enabled', { type: 'checkbox' })} />
      <RangeInput mt="md" label="Retention" description="Days for which every point in time stays recoverable" suffix=" d" range={backupRetentionDays} {...form.getInputProps('backups.retentionDays')} />
      <RangeInput mt="md" label="Interval" description="Hours from one base backup to the next" suffix=" h" range={backupIntervalHours} {...form.getInputProps('backups.intervalHours')} />
    </MutationForm>
  );
}
