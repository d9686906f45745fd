import type { MetricUnit } from '../gql/graphql';
import { bytes } from '../instance/size';
import { count } from '../top-queries/queries';
import { duration } from '../time/format';

/** A value with its unit: `12.3/s`, `1.5 MB/s`, `98.1%`, `2m 5s`, `42`. */
export function format(value: number | null | undefined, unit: MetricUnit): string {
  if (value == null) return '—';
  switch (unit) {
    case 'RATIO':
      return `${(value * 100).toFixed(1)}%`;
    case 'BYTES':
      return bytes(String(value));
    case 'BYTES_PER_SECOND':
      return `${bytes(String(value))}/s`;
    case 'SECONDS':
      return duration(value * 1000);
    case 'PER_SECOND':
      return `${number(value)}/s`;
    default:
      return number(value);
  }
}

/** The same for an axis, where it is short. */
export function tick(value: number, unit: MetricUnit): string {
  return unit === 'RATIO' ? `${Math.round(value * 100)}%` : format(value, unit);
}

function number(value: number): string {
  return value > 0 && value < 1 ? String(Number(value.toPrecision(2))) : count(String(value));
}
