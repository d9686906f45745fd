import { Modal } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { lazy, Suspense } from 'react';
import { Loading } from '../frame/loading';

// Not part of the first load: forms are a third of the component library.
const CreateForm = lazy(() => import('./create-form'));

export function CreateDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const phone = useMediaQuery('(max-width: 520px)');
  return (
    // The form is mounted with the dialog, so that it is empty each time.
    <Modal opened={opened} onClose={onClose} title="New instance" size="lg" fullScreen={phone}>
      <Suspense fallback={<Loading />}>
        <CreateForm onCancel={onClose} />
      </Suspense>
    </Modal>
  );
}
