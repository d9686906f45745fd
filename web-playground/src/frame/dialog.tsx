import { Button, Group, Modal, type ModalProps, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { createContext, type RefObject, useContext, useEffect, useRef } from 'react';

/** What would be lost if a dialog closed now, in the words of the question. */
export interface Loss {
  title: string;
  text: string;
  /** The label of the button that closes the dialog all the same. */
  confirm: string;
}

const LossContext = createContext<RefObject<Loss | undefined> | undefined>(undefined);

/** A modal that asks before Escape, its close button or a click outside closes it, while something in it would be lost. */
export function Dialog({ opened, onClose, children, ...props }: ModalProps) {
  const loss = useRef<Loss>(undefined);
  const [asking, ask] = useDisclosure(false);
  const { title, text, confirm } = loss.current ?? {};
  return (
    <>
      <Modal opened={opened} onClose={() => (loss.current ? ask.open() : onClose())} closeOnEscape={!asking} trapFocus={!asking} {...props}>
        <LossContext value={loss}>{children}</LossContext>
      </Modal>
      {opened && asking && (
        <Modal opened onClose={ask.close} title={title} size="sm" centered>
          <Text size="sm">{text}</Text>
          <Group justify="flex-end" mt="lg">
            <Button variant="default" onClick={ask.close} data-autofocus>
              Keep open
            </Button>
            <Button
              color="red"
              onClick={() => {
                ask.close();
                onClose();
              }}
            >
              {confirm}
            </Button>
          </Group>
        </Modal>
      )}
    </>
  );
}

/** Makes the surrounding `Dialog` ask, as long as there is something to lose. The value is compared by identity. */
export function useLoss(loss: Loss | undefined): void {
  const current = useContext(LossContext);
  useEffect(() => {
    if (!current) return;
    current.current = loss;
    return () => {
      current.current = undefined;
    };
  }, [current, loss]);
}
