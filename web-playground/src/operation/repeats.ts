/** Whether a message says what another one has said, with or without words around it. */
export function repeats(message: string, said: string | undefined): boolean {
  return said !== undefined && (said.includes(message) || message.includes(said));
}
