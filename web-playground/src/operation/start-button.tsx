import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Dialog } from '../frame/dialog';
import type { InstancePageFragment } from '../gql/graphql';
import { label } from '../lib/label';
import type { KINDS } from './kinds';

interface Props {
  operation: (typeof KINDS)[number];
  instance: InstancePageFragment;
  /** Shows a disabled button while the server does not accept the operation, instead of none. */
  keep?: boolean;
}

/** A button that opens the dialog of an operation. */
export function StartButton({ operation: { kind, icon: Icon, Form, destructive }, instance, keep = false }: Props) {
  const [opened, dialog] = useDisclosure(false);
  const available = instance.availableOperations.includes(kind);
  return (
    <>
      {(available || keep) && (
        <Button
          variant={destructive ? 'outline' : 'default'}
          color={destructive ? 'red' : undefined}
          leftSection={<Icon size={16} aria-hidden />}
          disabled={!available}
          onClick={dialog.open}
        >
          {label(kind)}
        </Button>
      )}
      {/* It stays open with what was entered when the operation becomes unavailable; the server then says why. */}
      <Dialog opened={opened} onClose={dialog.close} title={`${label(kind)} ${kind.includes('_') ? 'of ' : ''}${instance.name}?`}>
        <Form instance={instance} onDone={dialog.close} />
      </Dialog>
    </>
  );
}
