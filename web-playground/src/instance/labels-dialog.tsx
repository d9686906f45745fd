import { Modal } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useLimits } from '../control-plane/control-plane';
import { MutationForm } from '../form/mutation-form';
import type { InstancePageFragment } from '../gql/graphql';
import * as checks from './checks';
import { LabelFields } from './label-fields';
import { useUpdateInstance } from './update';

export function LabelsDialog({ instance, opened, onClose }: { instance: InstancePageFragment; opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title={`Labels of ${instance.name}`}>
      <LabelsForm instance={instance} onDone={onClose} />
    </Modal>
  );
}

function LabelsForm({ instance: { id, labels }, onDone }: { instance: InstancePageFragment; onDone: () => void }) {
  const mutation = useUpdateInstance(onDone);
  const form = useForm({ initialValues: { labels }, validate: { labels: checks.labels(useLimits()) } });
  return (
    <MutationForm form={form} mutation={mutation} toInput={({ labels }) => ({ id, labels })} submit="Save" onCancel={onDone}>
      <LabelFields value={form.values.labels} onChange={(labels) => form.setFieldValue('labels', labels)} error={form.errors.labels} />
    </MutationForm>
  );
}
