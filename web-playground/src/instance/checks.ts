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
      : `Must be a DNS label: ${nameLength.min} to ${nameLength.max} lower-case letters, digits or hyphens, starting with a letter and not ending with a hyphen`;
}

/** The name of a role or database. The server rejects reserved names too. */
export const sqlName: Check<string> = (text) =>
  /^[a-z_][a-z0-9_]{0,62}$/.test(text) ? null : 'Must be 1 to 63 lower-case letters, digits or underscores, not starting with a digit, so that it needs no quotes';

/** A name that none of them has. They are live: somebody else may take it meanwhile. */
export function unused(all: readonly { name: string }[], what: string): Check<string> {
  return (text) => (all.some(({ name }) => name === text) ? `There is a ${what} of this name` : null);
}

/** Nothing, or the name of one of them, which somebody else may drop meanwhile. */
export function among(all: readonly { name: string }[]): Check<string | null> {
  return (text) => (text === null || all.some(({ name }) => name === text) ? null : `${text} was dropped meanwhile`);
}

/** The server generates a password when there is none. */
export function password({ passwordBytes }: Pick<Limits, 'passwordBytes'>): Check<string> {
  return (text) => {
    if (!text) return null;
    if (!contains(passwordBytes, new TextEncoder().encode(text).length)) return `Must have ${passwordBytes.min} to ${passwordBytes.max} bytes`;
    return /[\u0000-\u001f\u007f-\u009f]/.test(text) ? 'Must not contain control characters' : null;
  };
}

export interface LabelText {
  key: string;
  value: string;
}

type LabelLimits = Pick<Limits, 'labels' | 'labelKeyLength' | 'labelValueLength'>;

export function labels(limits: LabelLimits): Check<readonly LabelText[]> {
  const find = labelError(limits);
  return (all) => find(all)?.message ?? null;
}

/** The first label that is wrong, if one is, and why. */
export function labelError({ labels, labelKeyLength, labelValueLength }: LabelLimits): (all: readonly LabelText[]) => { index?: number; message: string } | null {
  const valid = (text: string, length: Range) => /^[A-Za-z0-9\-_./]*$/.test(text) && contains(length, text.length);
  return (all) => {
    if (all.length > labels.max) return { message: `At most ${labels.max} labels are allowed` };
    const keys = new Set<string>();
    for (const [index, { key, value }] of all.entries()) {
      if (!valid(key, labelKeyLength) || !valid(value, labelValueLength)) {
        const message = `Keys have ${labelKeyLength.min} to ${labelKeyLength.max} and values up to ${labelValueLength.max} letters, digits or any of - _ . /`;
        return { index, message };
      }
      if (keys.has(key)) return { index, message: `Duplicate key "${key}"` };
      keys.add(key);
    }
    return null;
  };
}

function contains({ min, max }: Range, value: number): boolean {
  return value >= min && value <= max;
}
