import { Button } from '@mantine/core';
import { Check, Copy } from 'lucide-react';
import classes from './copy-button.module.css';
import { useCopy } from './use-copy';

/** Copies a text to the clipboard, which may be fetched first. */
export function CopyButton({ label, text, onError }: { label: string; text: () => Promise<string>; onError: (error: string | undefined) => void }) {
  const { copied, copy } = useCopy(text, onError);
  return (
    <Button
      variant="default"
      size="sm"
      h={38}
      px="sm"
      className={classes.copy}
      leftSection={copied ? <Check size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
      onClick={() => void copy()}
      aria-label={label}
    >
      <span role="status">{copied ? 'Copied' : 'Copy'}</span>
    </Button>
  );
}
