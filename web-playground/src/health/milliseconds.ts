/** `1.8ms`, `38ms`. */
export function milliseconds(value?: number | null): string {
  if (value == null) return '—';
  return `${value < 10 ? value.toFixed(1) : Math.round(value)}ms`;
}
