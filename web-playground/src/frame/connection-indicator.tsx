import { Popover, Text, UnstyledButton } from '@mantine/core';
import { LoaderCircle, Lock, Radio, Unplug } from 'lucide-react';
import { useStore } from '../lib/store';
import { type Connection, connection } from '../live/connection';
import classes from './connection-indicator.module.css';

const SHOWN = {
  connecting: { icon: LoaderCircle, word: 'Connecting', text: 'The live connection is being opened.' },
  live: { icon: Radio, word: 'Live', text: 'Every change shows as it happens.' },
  lost: {
    icon: Unplug,
    word: 'Reconnecting',
    text: 'The live connection is lost, so what is shown may be old. It is tried again until it is back, and then goes on where it was: no reload is needed.',
  },
  refused: { icon: Lock, word: 'No access', text: 'The server asks for an access token: see the menu.' },
} satisfies Record<Connection['state'], object>;

/** Says whether the page is live; a lost connection is announced to screen readers too. */
export function ConnectionIndicator() {
  const { state, cause } = useStore(connection);
  const { icon: Icon, word, text } = SHOWN[state];
  return (
    <Popover width={280} position="bottom-end" withArrow shadow="md">
      <Popover.Target>
        <UnstyledButton className={classes.indicator} data-state={state} aria-label={`Connection: ${word}`}>
          <Icon size={16} className={state === 'connecting' ? 'spin' : undefined} aria-hidden />
          <span className={classes.word} role="status">
            {word}
          </span>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <Text size="sm">{text}</Text>
        {cause && (
          <Text size="xs" c="dimmed" mt={6}>
            {cause}
          </Text>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}
