import { useSyncExternalStore } from 'react';
import { useStore } from '../lib/store';
import { age, full } from './format';
import { onTick } from './ticker';
import { zone } from './zone';

/** The age of a time, updated every second; renders only when the text changes. */
export function Ago({ at, suffix = '' }: { at: string; suffix?: string }) {
  // The title is in the chosen time zone.
  useStore(zone);
  const text = useSyncExternalStore(onTick, () => age(at, Date.now()));
  return (
    <time dateTime={at} title={full(at)}>
      {text}
      {suffix}
    </time>
  );
}
