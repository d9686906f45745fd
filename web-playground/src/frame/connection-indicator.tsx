import { Popover, Text, UnstyledButton } from '@mantine/core';
import { LoaderCircle, Lock, Radio, Unplug } from 'lucide-react';
import { useStore } from '../lib/store';
import { type Connection, connection } from '../live/state';
import classes from './connection-indicator.module.css';

const SHOWN = {
  connecting: { icon: LoaderCircle, word: 'Connecting', text: 'Connecting to the server.' },
  live: { icon: Radio, word: 'Live', text: 'Changes appear as they happen.' },
  lost: {
    icon: Unplug,
    word: 'Reconnecting',
    text: 'Connection lost. Data may be stale; reconnecting…',
  },
  refused: { icon: Lock, word: 'No access', text: 'The server requires an API token.' },
} satisfies Record<Connection['state'], object>;

/** Whether the page is live; screen readers announce changes. */
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
