import { Kbd, UnstyledButton } from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { Search } from 'lucide-react';
import { Suspense } from 'react';
import { Failure } from '../frame/failure';
import { lazily } from '../lib/lazy';
import classes from './button.module.css';

const Palette = lazily(() => import('./palette'));

const KEYS = /Mac|iP(hone|ad)/.test(navigator.userAgent) ? '⌘ K' : 'Ctrl K';

/** Opens the palette, as Ctrl-K and ⌘K do everywhere. */
export function PaletteButton() {
  const [opened, { open, close, toggle }] = useDisclosure(false);
  useHotkeys([['mod+K', toggle]], []);
  return (
    <>
      <UnstyledButton className={classes.button} onClick={open} aria-keyshortcuts="Control+K Meta+K">
        <Search size={15} aria-hidden />
        <span className={classes.word}>Go to…</span>
        <Kbd size="xs" className={classes.keys} aria-hidden>
          {KEYS}
        </Kbd>
      </UnstyledButton>
      {opened && (
        <Failure>
          <Suspense>
            <Palette onClose={close} />
          </Suspense>
        </Failure>
      )}
    </>
  );
}
