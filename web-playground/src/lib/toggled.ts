/** The set with `value` if it is without, and the other way round. */
export function toggled<Value>(set: ReadonlySet<Value>, value: Value): ReadonlySet<Value> {
  const other = new Set(set);
  if (!other.delete(value)) other.add(value);
  return other;
}
