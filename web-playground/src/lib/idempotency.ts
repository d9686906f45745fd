/**
 * Returns idempotency keys: the same key for the same input, so that a request that is sent again after a lost response has no
 * second effect, and a new key for another input.
 */
export function createKeys(): (input: unknown) => string {
  let last: { input: string; key: string } | undefined;
  return (input) => {
    const text = JSON.stringify(input);
    if (last?.input !== text) last = { input: text, key: randomKey() };
    return last.key;
  };
}

/** One key for each object of a run, so that what is sent again has no second effect. */
export function createKeysById(): (id: string) => string {
  const keys = new Map<string, string>();
  return (id) => {
    const key = keys.get(id) ?? randomKey();
    keys.set(id, key);
    return key;
  };
}

/** `crypto.randomUUID` exists in secure contexts only. */
function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
