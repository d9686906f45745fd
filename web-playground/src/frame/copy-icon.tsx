import { ActionIcon, Tooltip } from '@mantine/core';
import { Check, Copy } from 'lucide-react';
import { useCopy } from './use-copy';

interface Props {
  label: string;
  text: () => Promise<string>;
  onError: (error: string | undefined) => void;
}

/** A small button next to a value that copies it. */
export function CopyIcon({ label, text, onError }: Props) {
  const { copied, copy } = useCopy(text, onError);
  return (
    <Tooltip label={copied ? 'Copied' : label}>
      <ActionIcon variant="subtle" color="gray" size="sm" aria-label={label} onClick={() => void copy()}>
        {copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
      </ActionIcon>
    </Tooltip>
  );
}
