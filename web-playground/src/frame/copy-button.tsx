import { Button } from '@mantine/core';
import { Check, Copy } from 'lucide-react';
import classes from './copy-button.module.css';
import { useCopy } from './use-copy';

interface Props {
  label: string;
  text: () => Promise<string>;
  onError: (error: string | undefined) => void;
  onCopied?: () => void;
}

/** Copies a text to the clipboard, which may be fetched first. */
export function CopyButton({ label, text, onError, onCopied }: Props) {
  const { copied, copy } = useCopy(text, onError, onCopied);
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
