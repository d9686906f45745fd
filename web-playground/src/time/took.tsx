import { useSyncExternalStore } from 'react';
import { duration } from './format';
import { onTick } from './ticker';

/** A duration, updated every second until `to` is known. */
export function Took({ from, to }: { from: string; to?: string | null }) {
  const text = useSyncExternalStore(onTick, () => {
    const took = (to ? Date.parse(to) : Date.now()) - Date.parse(from);
    // Whole seconds while it runs, because fractions would flicker.
    return to ? duration(took) : duration(Math.floor(Math.max(took, 0) / 1000) * 1000 || 1000);
  });
  return <>{text}</>;
}
