import { Button, Code, Group, Text } from '@mantine/core';
import { useMemo, useState } from 'react';
import { sentenceCase } from '../lib/label';
import { CopyButton } from './copy-button';
import { useLoss } from './dialog';

/** A secret that the server does not store, shown once. The dialog asks before it closes, until the secret was copied. */
export function Secret({ what, secret, onClose }: { what: string; secret: string; onClose: () => void }) {
  const [failure, setFailure] = useState<string>();
  const [copied, setCopied] = useState(false);
  const loss = useMemo(() => ({ title: 'Close without copying?', text: `The ${what} won't be shown again.`, confirm: 'Close' }), [what]);
  useLoss(copied ? undefined : loss);
  return (
    <>
      <Text size="sm" mb="sm">
        Copy the {what} now. It won't be shown again.
      </Text>
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <Code
          block
          flex={1}
          data-testid="secret"
          tabIndex={0}
          role="group"
          aria-label={sentenceCase(what)}
          style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}
          onCopy={() => setCopied(true)}
        >
          {secret}
        </Code>
        <CopyButton label={`Copy the ${what}`} text={async () => secret} onError={setFailure} onCopied={() => setCopied(true)} />
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
