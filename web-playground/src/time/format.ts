const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** An age in one unit: `12 s`, `3 min`, `5 h`, `9 d`. It is `0 s` when the clock is behind that of the server. */
export function age(at: string, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(at)) / 1000));
  if (seconds < MINUTE) return `${seconds} s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h`;
  return `${Math.floor(seconds / DAY)} d`;
}

/** A duration: `34 ms`, `1.2 s`, `12 s`, `2 min 5 s`. */
export function duration(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < MINUTE) return `${seconds} s`;
  const rest = seconds % MINUTE;
  return `${Math.floor(seconds / MINUTE)} min${rest ? ` ${rest} s` : ''}`;
}

const CLOCK: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' };
const TIME = new Intl.DateTimeFormat(undefined, CLOCK);
const DATE_AND_TIME = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', ...CLOCK });

/** The time of day, preceded by the date unless it is today. */
export function clock(at: string, now: number): string {
  const date = new Date(at);
  return (date.toDateString() === new Date(now).toDateString() ? TIME : DATE_AND_TIME).format(date);
}

const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** Date and time in the time zone of the browser. */
export function full(at: string): string {
  return FULL.format(new Date(at));
}
