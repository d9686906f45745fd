/** The times that the charts can show, in hours. Hours are kept for 90 days by default. */
export const WINDOWS = [1, 24, 48, 720] as const;
export type WindowHours = (typeof WINDOWS)[number];

const NAMES: Record<WindowHours, string> = { 1: '1h', 24: '24h', 48: '48h', 720: '30d' };
/** The seconds of one point. */
const STEPS: Record<WindowHours, number> = { 1: 60, 24: 300, 48: 900, 720: 21_600 };

export function windowName(hours: WindowHours): string {
  return NAMES[hours];
}

export function stepOf(hours: WindowHours): number {
  return STEPS[hours];
}

export interface Point {
  at: string;
  value: number;
  maximum: number;
}

/** The times of a window in seconds, which begin at multiples of the step, and the value at each; null where there is none. */
export function grid(hours: WindowHours, now: number, series: readonly (readonly Point[])[]): { times: number[]; values: (number | null)[][] } {
  const step = stepOf(hours);
  const end = Math.floor(now / 1000 / step) * step;
  const begin = Math.floor((now / 1000 - hours * 3600) / step) * step;
  const times = Array.from({ length: Math.round((end - begin) / step) + 1 }, (_, index) => begin + index * step);
  const values = series.map((points) => {
    const at = new Map(points.map(({ at, value }) => [Date.parse(at) / 1000, value]));
    return times.map((time) => at.get(time) ?? null);
  });
  return { times, values };
}
