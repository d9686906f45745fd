import { Button, Code, Group, PasswordInput, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { Dialog } from '../frame/dialog';
import { sentenceCase } from '../lib/label';
import { browserStorage } from '../lib/storage';
import { useStore } from '../lib/store';
import { check } from './check';
import { access, saveToken, stopAsking } from './token';

/** Asks for an API token when the server requires one, or when it is opened from the account menu. */
export function TokenDialog() {
  const { asking } = useStore(access);
  return (
    <Dialog opened={asking} onClose={stopAsking} title="Sign in with an API token">
      <TokenForm />
    </Dialog>
  );
}

/** A token is saved only after the server has admitted it. */
function TokenForm() {
  const { token, refusal } = useStore(access);
  const [text, setText] = useState('');
  const [error, setError] = useState<string | undefined>(token ? refusal : undefined);
  const [checking, setChecking] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const entered = text.trim();
    if (!entered) return setError('Enter a token');
    setChecking(true);
    try {
      const problem = await check(entered);
      if (problem) setError(problem);
      else saveToken(entered);
    } catch (error) {
      setError((error as Error).message);
    } finally {
      setChecking(false);
    }
  }

  return (
    <form onSubmit={(event) => void submit(event)} noValidate>
      <Text size="sm" mb="sm">
        This server requires a token with each request.{' '}
        {browserStorage ? 'The token is kept in this browser only.' : 'This browser blocks site data, so the token is kept until this page is closed.'}
      </Text>
      <PasswordInput
        label="Token"
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setError(undefined);
        }}
        error={error && sentenceCase(error)}
        autoComplete="off"
        data-autofocus
      />
      <Text size="sm" c="dimmed" mt="md">
        Create the first token on the machine of the server:
        <Code block mt={4} tabIndex={0} role="group" aria-label="Command that creates a token">
          toygres token create --local --name me --role admin
        </Code>
      </Text>
      <Group justify="flex-end" mt="md">
        {token && (
          <Button variant="default" onClick={() => saveToken(null)}>
            Sign out
          </Button>
        )}
        <Button type="submit" loading={checking}>
          Sign in
        </Button>
      </Group>
    </form>
  );
}
