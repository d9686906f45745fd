import type { NumberInputProps } from '@mantine/core';
import { useState } from 'react';
import type { Range } from './range';
import { RangeInput } from './range-input';

interface Props extends Omit<NumberInputProps, 'value' | 'onChange'> {
  /** In millicores, as the contract has it. */
  range: Range;
  /** In millicores; '' while the field is empty. */
  value?: number | string;
  onChange?: (millis: number | string) => void;
}

/** A number of vCPUs. The form holds thousandths. */
export function CpuInput({ range, value = '', onChange, ...props }: Props) {
  // What was typed, because `1.0` on the way to `1.05` is the same number as `1`.
  const [text, setText] = useState<number | string>('');
  const change = (typed: number | string) => {
    setText(typed);
    onChange?.(toMillis(typed));
  };
  return (
    <RangeInput
      label="CPU"
      suffix=" vCPU"
      step={0.25}
      range={{ ...range, min: range.min / 1000, max: range.max / 1000 }}
      allowDecimal
      decimalScale={3}
      value={toMillis(text) === value ? text : typeof value === 'number' ? value / 1000 : value}
      onChange={change}
      {...props}
    />
  );
}

function toMillis(text: number | string): number | '' {
  return text === '' || Number.isNaN(Number(text)) ? '' : Math.round(Number(text) * 1000);
}
