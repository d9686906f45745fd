import { useMediaQuery } from '@mantine/hooks';
import { Suspense } from 'react';
import { Dialog } from '../frame/dialog';
import { Failure } from '../frame/failure';
import { Loading } from '../frame/loading';
import { lazily } from '../lib/lazy';
import { Store, useStore } from '../lib/store';

// Not part of the first load: forms are a third of the component library.
const CreateForm = lazily(() => import('./create-form'));

const opened = new Store(false);
export const openCreateDialog = () => opened.set(true);
const close = () => opened.set(false);

/** On the page of the list; `openCreateDialog` opens it. */
export function CreateDialog() {
  const phone = useMediaQuery('(max-width: 520px)');
  return (
    // The form is mounted with the dialog, so that it is empty each time.
    <Dialog opened={useStore(opened)} onClose={close} title="Create instance" size="lg" fullScreen={phone}>
      <Failure>
        <Suspense fallback={<Loading />}>
          <CreateForm onDone={close} />
        </Suspense>
      </Failure>
    </Dialog>
  );
}
