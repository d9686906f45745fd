import { useMemo, useSyncExternalStore } from 'react';
import { storage } from '../lib/storage';
import { Store, useStore } from '../lib/store';
import { toggled } from '../lib/toggled';

/** A column that can be hidden. */
export interface Column<Id extends string = string> {
  id: Id;
  name: string;
  /** The least width of the window, in pixels, that has room for it. */
  from?: number;
}

export interface Columns<Id extends string = string> {
  all: readonly Column<Id>[];
  /** Those that are chosen and have room, in order. The same array as long as they are the same. */
  shown: readonly Id[];
  /** Those that the user has hidden. */
  hidden: ReadonlySet<Id>;
  fits: (column: Column<Id>) => boolean;
  toggle: (id: Id) => void;
  /** Shows all again. */
  reset: () => void;
}

/** The columns of a table that are shown. The choice is kept in this browser. */
export function useColumns<Id extends string>(table: string, all: readonly Column<Id>[]): Columns<Id> {
  const key = `toygres.columns.${table}`;
  const store = storeFor(key);
  const hidden = parseHidden(useStore(store), all);
  const width = useSyncExternalStore(onResize, () => Math.max(0, ...all.map(({ from = 0 }) => from).filter((from) => matchMedia(`(min-width: ${from}px)`).matches)));
  const fits = ({ from = 0 }: Column<Id>) => from <= width;
  const names = all.filter((column) => fits(column) && !hidden.has(column.id)).map(({ id }) => id);
  const shown = useMemo(() => names, [names.join()]);

  function set(ids: ReadonlySet<Id>) {
    const value = ids.size ? JSON.stringify([...ids]) : null;
    if (value) storage.setItem(key, value);
    else storage.removeItem(key);
    store.set(value);
  }

  return { all, shown, hidden, fits, toggle: (id) => set(toggled(hidden, id)), reset: () => set(new Set()) };
}

/** What is stored. Columns that a release does not have are left out. */
export function parseHidden<Id extends string>(stored: string | null, all: readonly Column<Id>[]): Set<Id> {
  try {
    const ids = JSON.parse(stored ?? '[]') as unknown;
    return new Set(Array.isArray(ids) ? all.map(({ id }) => id).filter((id) => ids.includes(id)) : []);
  } catch {
    return new Set();
  }
}

const stores = new Map<string, Store<string | null>>();

function storeFor(key: string): Store<string | null> {
  const store = stores.get(key) ?? new Store(storage.getItem(key));
  stores.set(key, store);
  return store;
}

function onResize(listener: () => void): () => void {
  window.addEventListener('resize', listener);
  return () => window.removeEventListener('resize', listener);
}
