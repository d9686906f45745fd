import { toggled } from '../lib/toggled';

/** The instances that are selected, by id. They stay selected when a filter hides them. */
export interface Selection {
  ids: ReadonlySet<string>;
  /** Where a range begins: the one that was selected or deselected last. */
  anchor?: string;
}

export const NOTHING: Selection = { ids: new Set() };

export function toggle({ ids }: Selection, id: string): Selection {
  return { ids: toggled(ids, id), anchor: id };
}

/** From the anchor to `id`, in the order that is shown: all become what `id` becomes. */
export function extend(selection: Selection, id: string, order: readonly string[]): Selection {
  const { ids, anchor = '' } = selection;
  const [from, to] = [order.indexOf(anchor), order.indexOf(id)];
  if (from < 0 || to < 0) return toggle(selection, id);
  const range = order.slice(Math.min(from, to), Math.max(from, to) + 1);
  return { ...(ids.has(id) ? remove(selection, range) : add(selection, range)), anchor: id };
}

/** The last of them becomes the anchor. */
export function add({ ids }: Selection, added: readonly string[]): Selection {
  return { ids: new Set([...ids, ...added]), anchor: added.at(-1) };
}

export function remove({ ids, anchor }: Selection, removed: readonly string[]): Selection {
  const without = new Set(removed);
  return { ids: new Set([...ids].filter((id) => !without.has(id))), anchor };
}

/** Whether all, some or none of what is shown is selected. */
export function extent({ ids }: Selection, shown: readonly string[]): 'all' | 'some' | 'none' {
  const count = shown.filter((id) => ids.has(id)).length;
  if (count === 0) return 'none';
  return count === shown.length ? 'all' : 'some';
}
