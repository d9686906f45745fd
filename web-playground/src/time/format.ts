import { type Zone, zone } from './zone';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** An age in one unit: `12s`, `3m`, `5h`, `9d`. It is `0s` when the clock is behind that of the server. */
export function age(at: string, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(at)) / 1000));
  if (seconds < MINUTE) return `${seconds}s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)}m`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)}h`;
  return `${Math.floor(seconds / DAY)}d`;
}

/** A duration: `34ms`, `1.2s`, `12s`, `2m 5s`. */
export function duration(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < MINUTE) return `${seconds}s`;
  const rest = seconds % MINUTE;
  return `${Math.floor(seconds / MINUTE)}m${rest ? ` ${rest}s` : ''}`;
}

/** The formats in both time zones, of which the user chooses one. */
function inZones(options: Intl.DateTimeFormatOptions): Record<Zone, Intl.DateTimeFormat> {
  return { local: new Intl.DateTimeFormat(undefined, options), utc: new Intl.DateTimeFormat(undefined, { ...options, timeZone: 'UTC' }) };
}

const MINUTES = inZones({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const DATES = inZones({ day: 'numeric', month: 'short' });
const CLOCK: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' };
const TIME = inZones(CLOCK);
const DATE_AND_TIME = inZones({ day: 'numeric', month: 'short', ...CLOCK });
const DAY_ONLY = inZones({ dateStyle: 'short' });
const FULL = inZones({ dateStyle: 'medium', timeStyle: 'long' });

/** Hours and minutes, for an axis. */
export function minutes(at: number): string {
  return MINUTES[zone.get()].format(at);
}

/** Day and month, for an axis of many days. */
export function dates(at: number): string {
  return DATES[zone.get()].format(at);
}

/** The time of day, preceded by the date unless it is today. */
export function clock(at: string, now: number): string {
  const date = new Date(at);
  const day = DAY_ONLY[zone.get()];
  return (day.format(date) === day.format(now) ? TIME : DATE_AND_TIME)[zone.get()].format(date);
}

/** Date, time and time zone. */
export function full(at: string): string {
  return FULL[zone.get()].format(new Date(at));
}
