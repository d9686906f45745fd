import { Button, Group, Modal, PasswordInput, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useStore } from '../lib/store';
import { access, saveToken, stopAsking } from './token';

/** Asks for an access token when the server refuses without one, or when somebody opens it from the menu. */
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
          Where the server controls access, it wants a token with each request. It is kept in this browser only.
        </Text>
        <PasswordInput
          label="Token"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          placeholder={token ? 'A token is kept already' : undefined}
          autoComplete="off"
          data-autofocus
        />
        <Group justify="flex-end" mt="md">
          {token && (
            <Button variant="default" onClick={() => saveToken(null)}>
              Forget it
            </Button>
          )}
          <Button type="submit">Use this token</Button>
        </Group>
      </form>
    </Modal>
  );
}
