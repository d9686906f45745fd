/** A range in which every point can be restored. */
interface Interval {
  from: string;
  to: string;
}

/** A time as an input of type `datetime-local` has it: in the time zone of the browser, with seconds. */
export function localTime(at: string): string {
  const date = new Date(at);
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19);
}

/** The time in such an input; undefined if it is none. */
export function pointOf(local: string): string | undefined {
  const time = Date.parse(local);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

/** Why a point cannot be restored, if it cannot. The input has no fractions of a second, so the first second of a range counts. */
export function refusal(local: string, intervals: readonly Interval[]): string | null {
  const point = pointOf(local);
  if (!point) return 'Choose a date and a time.';
  const time = Date.parse(point);
  if (intervals.some(({ from, to }) => time >= Date.parse(from) && time <= Date.parse(to))) return null;
  const last = intervals.at(-1);
  if (last && time > Date.parse(last.to)) return 'This is later than what is archived: choose the latest point.';
  if (intervals[0] && time < Date.parse(intervals[0].from)) return 'This is earlier than what is kept.';
  return 'This is in a gap, which cannot be restored.';
}
