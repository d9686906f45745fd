import { Alert, Button, Group, Text } from '@mantine/core';
import { LogIn } from 'lucide-react';
import { sentenceCase } from '../lib/label';
import { useStore } from '../lib/store';
import { access, signIn } from './token';

/** Leads back to the dialog after it was closed without a valid token. */
export function Refused() {
  const { token, asking, refusal } = useStore(access);
  if (!refusal || asking) return null;
  return (
    <Alert color="red" variant="outline" m="md" p="xs" role="alert">
      <Group justify="space-between">
        <Text size="sm">{token ? sentenceCase(refusal) : 'This server requires an API token'}. Nothing is loaded until you sign in.</Text>
        <Button size="xs" leftSection={<LogIn size={14} aria-hidden />} onClick={signIn}>
          Sign in
        </Button>
      </Group>
    </Alert>
  );
}
