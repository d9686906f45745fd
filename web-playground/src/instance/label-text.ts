/** `team=shop`, or the key alone. */
export function labelText({ key, value }: { key: string; value: string }): string {
  return value ? `${key}=${value}` : key;
}
