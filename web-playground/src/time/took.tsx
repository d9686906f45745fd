import { useSyncExternalStore } from 'react';
import { duration } from './format';
import { onTick } from './ticker';

/** How long something took, or is taking: then it ticks. */
export function Took({ from, to }: { from: string; to?: string | null }) {
  const text = useSyncExternalStore(onTick, () => {
    const took = (to ? Date.parse(to) : Date.now()) - Date.parse(from);
    // Whole seconds while it runs: fractions would only flicker.
    return to ? duration(took) : duration(Math.floor(Math.max(took, 0) / 1000) * 1000 || 1000);
  });
  return <>{text}</>;
}
