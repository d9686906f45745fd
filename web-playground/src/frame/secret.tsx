import { Button, Code, Group, Text } from '@mantine/core';
import { useState } from 'react';
import { sentenceCase } from '../lib/label';
import { CopyButton } from './copy-button';

/** A secret that the server does not store, shown once. */
export function Secret({ what, secret, onClose }: { what: string; secret: string; onClose: () => void }) {
  const [failure, setFailure] = useState<string>();
  return (
    <>
      <Text size="sm" mb="sm">
        Copy the {what} now. It is not shown again.
      </Text>
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <Code block flex={1} data-testid="secret" tabIndex={0} role="group" aria-label={sentenceCase(what)} style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
          {secret}
        </Code>
        <CopyButton label={`Copy the ${what}`} text={async () => secret} onError={setFailure} />
      </Group>
      {failure && (
        <Text className="error" size="sm" mt="xs" role="alert">
          {failure}
        </Text>
      )}
      <Group justify="flex-end" mt="lg">
        <Button onClick={onClose}>Done</Button>
      </Group>
    </>
  );
}
