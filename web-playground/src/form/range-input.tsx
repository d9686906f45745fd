import { NumberInput, type NumberInputProps } from '@mantine/core';
import type { Range } from './range';

/** A whole number within a range of the contract. A value outside of it is kept and reported, not corrected. */
export function RangeInput({ range: { min, max }, ...props }: { range: Range } & NumberInputProps) {
  return <NumberInput min={min} max={max} clampBehavior="none" allowDecimal={false} {...props} />;
}
