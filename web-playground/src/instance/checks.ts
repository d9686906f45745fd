import type { Limits } from '../control-plane/control-plane';
import type { Check, Range } from '../form/range';

/**
 * The forms of names, as the server checks them (`domain/src/name.rs`), so that a mistake is reported while it is typed. Lengths
 * and counts come from the server; its own check decides.
 */
export function instanceName({ nameLength }: Pick<Limits, 'nameLength'>): Check<string> {
  return (text) =>
    /^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(text) && contains(nameLength, text.length)
      ? null
      : `must be a DNS label: ${nameLength.min} to ${nameLength.max} lower-case letters, digits or hyphens, starting with a letter and not ending with a hyphen`;
}

export const roleName: Check<string> = (text) => sqlName(text, ['postgres', 'public', 'none', 'toygres']);

export const databaseName: Check<string> = (text) => sqlName(text, ['postgres', 'template0', 'template1']);

/** The server generates a password when there is none. */
export function password({ passwordBytes }: Pick<Limits, 'passwordBytes'>): Check<string> {
  return (text) => {
    if (!text) return null;
    if (!contains(passwordBytes, new TextEncoder().encode(text).length)) return `must have ${passwordBytes.min} to ${passwordBytes.max} bytes`;
    return /[\u0000-\u001f\u007f-\u009f]/.test(text) ? 'must not contain control characters' : null;
  };
}

export interface LabelText {
  key: string;
  value: string;
}

export function labels({ labels, labelKeyLength, labelValueLength }: Pick<Limits, 'labels' | 'labelKeyLength' | 'labelValueLength'>): Check<readonly LabelText[]> {
  const valid = (text: string, length: Range) => /^[A-Za-z0-9\-_./]*$/.test(text) && contains(length, text.length);
  return (all) => {
    if (all.length > labels.max) return `at most ${labels.max} labels are allowed`;
    const keys = new Set<string>();
    for (const { key, value } of all) {
      if (!valid(key, labelKeyLength) || !valid(value, labelValueLength)) {
        return `keys have ${labelKeyLength.min} to ${labelKeyLength.max} and values up to ${labelValueLength.max} letters, digits or any of - _ . /`;
      }
      if (keys.has(key)) return `duplicate key '${key}'`;
      keys.add(key);
    }
    return null;
  };
}

function contains({ min, max }: Range, value: number): boolean {
  return value >= min && value <= max;
}

function sqlName(text: string, reserved: readonly string[]): string | null {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(text)) {
    return 'must be 1 to 63 lower-case letters, digits or underscores, not starting with a digit, so that it needs no quotes';
  }
  if (text.startsWith('pg_') || reserved.includes(text) || RESERVED_WORDS.has(text)) {
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
