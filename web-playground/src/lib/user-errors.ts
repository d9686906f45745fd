import { sentenceCase } from './label';

export interface UserError {
  field: string[];
  message: string;
}

/** A mutation was rejected because of its input. */
export class InputError extends Error {
  readonly userErrors: readonly UserError[];

  constructor(userErrors: readonly UserError[]) {
    super(sentences(userErrors.map(({ message }) => message)));
    this.userErrors = userErrors;
  }
}

/** The server words its messages without a full stop, so that they can be part of a sentence. */
function sentences(messages: readonly string[]): string {
  return messages.map((message, index) => sentenceCase(message) + (index < messages.length - 1 && !message.endsWith('.') ? '.' : '')).join(' ');
}

/** Assigns each error to the form field that shows it; `rest` belongs to the form as a whole. */
export function fieldErrors(errors: readonly UserError[], values: object): { fields: Record<string, string>; rest: string[] } {
  const paths = fieldPaths(values);
  const fields: Record<string, string> = {};
  const rest: string[] = [];
  for (const { field, message } of errors) {
    const path = field.join('.');
    // An error at an element of a list belongs to the field of the list.
    const at = paths.find((name) => path === name || path.startsWith(`${name}.`));
    if (at) fields[at] = sentenceCase(message);
    // An error at `id` is about the object itself, which the form names.
    else rest.push(path && path !== 'id' ? `${sentenceCase(path)}: ${message}` : sentenceCase(message));
  }
  return { fields, rest };
}

/** The object has changed since the revision that was sent. */
export function isRevisionError({ field }: UserError): boolean {
  return field.length === 1 && field[0] === 'revision';
}

/** `{ name, exposure: { type } }` has the fields `name` and `exposure.type`. */
function fieldPaths(values: object, prefix = ''): string[] {
  return Object.entries(values).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? fieldPaths(value, `${prefix}${name}.`) : [`${prefix}${name}`],
  );
}
