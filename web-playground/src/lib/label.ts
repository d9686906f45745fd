const PROPER_NOUNS: Record<string, string> = { postgres: 'PostgreSQL' };

/** The label of an enum value of the contract: `RESTART_POSTGRES` is `Restart PostgreSQL`. */
export function label(value: string): string {
  const words = value.toLowerCase().split('_');
  return sentenceCase(words.map((word) => PROPER_NOUNS[word] ?? word).join(' '));
}

/** The options of a select, for values of an enum. */
export function options<Value extends string>(values: readonly Value[]): { value: Value; label: string }[] {
  return values.map((value) => ({ value, label: label(value) }));
}

/** The server words its messages so that they can follow a colon; on their own they start with a capital letter. */
export function sentenceCase(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
