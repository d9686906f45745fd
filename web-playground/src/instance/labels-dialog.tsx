import { Button, Group, Modal } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { InstancePageFragment } from '../gql/graphql';
import * as checks from './checks';
import { LabelFields } from './label-fields';
import { updateInstance } from './update';

export function LabelsDialog({ instance, opened, onClose }: { instance: InstancePageFragment; opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title={`Labels of ${instance.name}`}>
      <LabelsForm instance={instance} onDone={onClose} />
    </Modal>
  );
}

function LabelsForm({ instance, onDone }: { instance: InstancePageFragment; onDone: () => void }) {
  const [labels, setLabels] = useState(instance.labels);
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);

  async function save(event: FormEvent) {
    event.preventDefault();
    const mistake = checks.labels(labels);
    setError(mistake ?? undefined);
    if (mistake) return;
    setBusy(true);
    try {
      await updateInstance({ id: instance.id, labels });
      onDone();
    } catch (error) {
      setError((error as Error).message);
      setBusy(false);
    }
  }

  return (
    <form onSubmit={(event) => void save(event)}>
      <LabelFields value={labels} onChange={setLabels} error={error} />
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onDone}>
          Cancel
        </Button>
        <Button type="submit" loading={busy}>
          Save
        </Button>
      </Group>
    </form>
  );
}
