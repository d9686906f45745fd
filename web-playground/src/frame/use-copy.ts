import { useEffect, useState } from 'react';

const SHOWN_FOR_MS = 2_000;

/** Copies a text to the clipboard, which may be fetched first. */
export function useCopy(text: () => Promise<string>, onError: (error: string | undefined) => void, onCopied?: () => void) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_FOR_MS);
    return () => clearTimeout(timer);
  }, [copied]);

  async function copy(): Promise<void> {
    onError(undefined);
    try {
      const value = await text();
      // Browsers provide the clipboard in secure contexts only: https and localhost.
      if (!navigator.clipboard) throw new Error('The browser provides no clipboard without https. Show the password and copy the text manually.');
      await navigator.clipboard.writeText(value);
      setCopied(true);
      onCopied?.();
    } catch (error) {
      onError((error as Error).message);
    }
  }

  return { copied, copy };
}
