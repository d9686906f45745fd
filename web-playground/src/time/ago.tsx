import { useSyncExternalStore } from 'react';
import { age, full } from './format';
import { onTick } from './ticker';

/** The age of a time, updated every second; renders only when the text changes. */
export function Ago({ at, suffix = '' }: { at: string; suffix?: string }) {
  const text = useSyncExternalStore(onTick, () => age(at, Date.now()));
  return (
    <time dateTime={at} title={full(at)}>
      {text}
      {suffix}
    </time>
  );
}
