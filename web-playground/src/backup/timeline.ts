export interface Span {
  kind: 'covered' | 'gap';
  from: string;
  to: string;
  reason?: string;
  /** Percent of the width. */
  left: number;
  width: number;
}

interface Range {
  from: string;
  to: string;
}

/** The narrowest span in percent, so that it can be seen. */
const LEAST = 0.5;

/** What can be restored between the first point and `until`, and what is between, as parts of a bar. */
export function spans(intervals: readonly Range[], gaps: readonly (Range & { reason: string })[], until: number): Span[] {
  const first = intervals[0];
  if (!first) return [];
  const start = Date.parse(first.from);
  const length = Math.max(until - start, Date.parse(intervals.at(-1)?.to ?? first.to) - start, 1);
  const part = ({ from, to }: Range) => {
    const width = Math.max(((Date.parse(to) - Date.parse(from)) / length) * 100, LEAST);
    return { left: Math.min(((Date.parse(from) - start) / length) * 100, 100 - LEAST), width };
  };
  return [
    ...intervals.map(({ from, to }) => ({ kind: 'covered' as const, from, to, ...part({ from, to }) })),
    ...gaps.map(({ from, to, reason }) => ({ kind: 'gap' as const, from, to, reason, ...part({ from, to }) })),
  ].sort((a, b) => a.left - b.left);
}

/** A size: `512 B`, `1.5 MiB`, `20 GiB`. */
export function bytes(text: string): string {
  let value = Number(text);
  for (const unit of ['B', 'KiB', 'MiB', 'GiB']) {
    if (value < 1024) return `${unit === 'B' || value >= 100 ? Math.round(value) : value.toFixed(1)} ${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(1)} TiB`;
}
