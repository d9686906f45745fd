import { Button, Group, Modal, PasswordInput, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { browserStorage } from '../lib/storage';
import { useStore } from '../lib/store';
import { access, saveToken, stopAsking } from './token';

/** Asks for an access token when the server requires one, or when it is opened from the menu. */
export function TokenDialog() {
  const { token, asking } = useStore(access);
  const [text, setText] = useState('');

  function submit(event: FormEvent) {
    event.preventDefault();
    saveToken(text.trim() || null);
    setText('');
  }

  return (
    <Modal opened={asking} onClose={stopAsking} title="Access token">
      <form onSubmit={submit}>
        <Text size="sm" mb="sm">
          A server with access control requires a token with each request.{' '}
          {browserStorage ? 'The token is kept in this browser only.' : 'This browser blocks site data, so the token is kept until this page is closed.'}
        </Text>
        <PasswordInput
          label="Token"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          placeholder={token ? 'A token is saved' : undefined}
          autoComplete="off"
          data-autofocus
        />
        <Group justify="flex-end" mt="md">
          {token && (
            <Button variant="default" onClick={() => saveToken(null)}>
              Remove token
            </Button>
          )}
          <Button type="submit">Use token</Button>
        </Group>
      </form>
    </Modal>
  );
}
