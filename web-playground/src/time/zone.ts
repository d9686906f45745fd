import { storage } from '../lib/storage';
import { Store } from '../lib/store';

export type Zone = 'local' | 'utc';

const KEY = 'toygres.zone';

/** The time zone of all times on the page, kept in this browser. */
export const zone = new Store<Zone>(storage.getItem(KEY) === 'utc' ? 'utc' : 'local');

export function toggleZone(): void {
  const next = zone.get() === 'utc' ? 'local' : 'utc';
  storage.setItem(KEY, next);
  zone.set(next);
}
