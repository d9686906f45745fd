import type { IntRange } from '../gql/graphql';

export type Range = Pick<IntRange, 'min' | 'max' | 'default'>;

/** Returns what is wrong with a value, or null. */
export type Check<Value> = (value: Value) => string | null;

/** Checks a number field, which holds '' while it is empty. The field shows the value divided by `scale`, in `unit`. */
export function inRange({ min, max }: Range, unit: string, scale = 1): Check<number | string> {
  return (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? null : `Must be ${min / scale} to ${max / scale} ${unit}`;
}

/** Checks a number field that may be empty. */
export function inRangeOrEmpty(range: Range, unit: string): Check<number | string> {
  const check = inRange(range, unit);
  return (value) => (value === '' ? null : check(value));
}

/** What a number field holds at first. */
export function initialValue(range: Range): number | '' {
  return range.default ?? '';
}
