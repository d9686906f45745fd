/** The server words reasons so that they fit behind a colon; alone they begin like a sentence. */
export function sentenceCase(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
