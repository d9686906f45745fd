/**
 * Makes the key under which a request may be repeated: the same for the same input, so that sending it again after a lost
 * answer orders nothing twice, and another for another input.
 */
export function createKeys(): (input: unknown) => string {
  let last: { input: string; key: string } | undefined;
  return (input) => {
    const text = JSON.stringify(input);
    if (last?.input !== text) last = { input: text, key: randomKey() };
    return last.key;
  };
}

/** `crypto.randomUUID` exists on https and localhost only. */
function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
