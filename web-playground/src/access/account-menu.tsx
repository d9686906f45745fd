import { ActionIcon, Button, Popover, Stack, Text } from '@mantine/core';
import { CircleUser, LogIn, LogOut } from 'lucide-react';
import { useState } from 'react';
import { useControlPlane } from '../control-plane/control-plane';
import { label } from '../lib/label';
import { useStore } from '../lib/store';
import { full } from '../time/format';
import { ROLES } from '../token/roles';
import { access, saveToken, signIn } from './token';

/** Who is signed in, with which role; nothing on a server that requires no token. */
export function AccountMenu() {
  const { data } = useControlPlane();
  const { token, refusal } = useStore(access);
  const [opened, setOpened] = useState(false);
  const { role, tokenName, tokenExpiresAt } = data?.caller ?? {};
  if (!token && !refusal) return null;
  const close = (work: () => void) => () => {
    setOpened(false);
    work();
  };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" withArrow width={260} shadow="md" trapFocus returnFocus>
      <Popover.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Account" onClick={() => setOpened(!opened)}>
          <CircleUser size={17} aria-hidden />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown>
        {role && tokenName != null && !refusal && (
          <Stack gap={2} mb="sm">
            <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>
              {tokenName}
            </Text>
            <Text size="sm">Role: {label(role)}</Text>
            <Text size="xs" c="dimmed">
              {ROLES[role]}
            </Text>
            <Text size="sm">Expires: {tokenExpiresAt ? <time dateTime={tokenExpiresAt}>{full(tokenExpiresAt)}</time> : 'never'}</Text>
          </Stack>
        )}
        <Stack gap="xs">
          <Button variant="default" size="xs" leftSection={<LogIn size={14} aria-hidden />} onClick={close(signIn)}>
            {token && !refusal ? 'Use another token' : 'Sign in'}
          </Button>
          {token && (
            <Button variant="default" size="xs" leftSection={<LogOut size={14} aria-hidden />} onClick={close(() => saveToken(null))}>
              Sign out
            </Button>
          )}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
