import type { LabelText } from '../instance/checks';

/** The change that is made to the labels of several instances. */
export interface LabelChange {
  set: readonly LabelText[];
  /** Keys. */
  remove: readonly string[];
}

/** The labels with the change; undefined if it changes nothing. Labels keep their order. */
export function changed(labels: readonly LabelText[], { set, remove }: LabelChange): LabelText[] | undefined {
  const values = new Map(labels.map(({ key, value }) => [key, value]));
  for (const key of remove) values.delete(key);
  for (const { key, value } of set) values.set(key, value);
  const result = [...values].map(([key, value]) => ({ key, value }));
  const same = result.length === labels.length && labels.every(({ key, value }) => values.get(key) === value);
  return same ? undefined : result;
}

/** The keys of all labels, in alphabetical order. */
export function keysOf(targets: readonly { labels: readonly LabelText[] }[]): string[] {
  return [...new Set(targets.flatMap(({ labels }) => labels.map(({ key }) => key)))].sort();
}
