import { useForm } from '@mantine/form';
import { useLimits } from '../control-plane/control-plane';
import { useConflict } from '../form/conflict';
import { MutationForm } from '../form/mutation-form';
import { Dialog } from '../frame/dialog';
import type { InstancePageFragment } from '../gql/graphql';
import * as checks from './checks';
import { LabelFields } from './label-fields';
import { labelText } from './label-text';
import { useUpdateInstance } from './update';

export function LabelsDialog({ instance, opened, onClose }: { instance: InstancePageFragment; opened: boolean; onClose: () => void }) {
  return (
    <Dialog opened={opened} onClose={onClose} title={`Labels of ${instance.name}`}>
      <LabelsForm instance={instance} onDone={onClose} />
    </Dialog>
  );
}

export function LabelsForm({ instance: { id, revision, labels }, onDone }: { instance: InstancePageFragment; onDone: () => void }) {
  const mutation = useUpdateInstance(onDone);
  const form = useForm({ initialValues: { labels }, validate: { labels: checks.labels(useLimits()) } });
  const conflict = useConflict(form, { labels }, ({ labels }) => labels.map(labelText).join(', ') || 'none');
  return (
    <MutationForm form={form} mutation={mutation} toInput={({ labels }) => ({ id, labels, revision })} submit="Save" conflict={conflict} onCancel={onDone}>
      <LabelFields value={form.values.labels} onChange={(labels) => form.setFieldValue('labels', labels)} error={form.errors.labels} />
    </MutationForm>
  );
}
