/**
 * The server's rules for a new instance (`server/src/app/create_instance.rs`, `domain/src/name.rs`), so that a mistake shows
 * while it is typed. The server's word counts; each check returns what is wrong, or null.
 */
export type Check<Value> = (value: Value) => string | null;

export const instanceName: Check<string> = (text) =>
  /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text)
    ? null
    : 'must be a DNS label: 1 to 63 lower-case letters, digits or hyphens, starting with a letter and not ending with a hyphen';

export const roleName: Check<string> = (text) => sqlName(text, ['postgres', 'public', 'none', 'toygres']);

export const databaseName: Check<string> = (text) => sqlName(text, ['postgres', 'template0', 'template1']);

/** Left empty, the server generates one. */
export const password: Check<string> = (text) => {
  if (!text) return null;
  const bytes = new TextEncoder().encode(text).length;
  if (bytes < 8 || bytes > 99) return 'must have 8 to 99 bytes';
  return /[\u0000-\u001f\u007f-\u009f]/.test(text) ? 'must not contain control characters' : null;
};

export const range =
  (from: number, to: number, unit: string): Check<number | string> =>
  (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to ? null : `must be ${from} to ${to} ${unit}`;

export const storageGb = range(1, 65_536, 'GiB');
export const cpuMillis = range(100, 128_000, 'thousandths of a core');
export const memoryMb = range(128, 1_048_576, 'MiB');
export const intervalSeconds = range(1, 3600, 'seconds');
export const timeoutSeconds = range(1, 60, 'seconds');

const MAX_LABELS = 32;

export interface LabelText {
  key: string;
  value: string;
}

export const labels: Check<readonly LabelText[]> = (all) => {
  if (all.length > MAX_LABELS) return `there may be ${MAX_LABELS} labels at the most`;
  const keys = new Set<string>();
  for (const { key, value } of all) {
    if (!/^[A-Za-z0-9\-_./]{1,63}$/.test(key) || !/^[A-Za-z0-9\-_./]{0,63}$/.test(value)) {
      return 'keys have 1 to 63 and values up to 63 letters, digits or any of - _ . /';
    }
    if (keys.has(key)) return `the key '${key}' comes twice`;
    keys.add(key);
  }
  return null;
};

function sqlName(text: string, taken: readonly string[]): string | null {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(text)) {
    return 'must be 1 to 63 lower-case letters, digits or underscores, not starting with a digit, so that it needs no quoting';
  }
  if (text.startsWith('pg_') || taken.includes(text) || RESERVED_WORDS.has(text)) {
    return `'${text}' is reserved by PostgreSQL; choose another name`;
  }
  return null;
}

/** PostgreSQL's reserved key words, which cannot name a role or a database without quotes. */
const RESERVED_WORDS = new Set(
  `all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation column
    concurrently constraint create cross current_catalog current_date current_role current_schema current_time
    current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze from
    full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit localtime
    localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references returning
    right select session_user similar some symmetric system_user table tablesample then to trailing true union unique user
    using variadic verbose when where window with`.split(/\s+/),
);
