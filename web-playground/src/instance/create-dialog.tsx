import { Modal } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { CreateForm } from './create-form';

export function CreateDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const phone = useMediaQuery('(max-width: 520px)');
  return (
    // The form is mounted with the dialog, so that each starts afresh.
    <Modal opened={opened} onClose={onClose} title="New instance" size="lg" fullScreen={phone}>
      <CreateForm onCancel={onClose} />
    </Modal>
  );
}
