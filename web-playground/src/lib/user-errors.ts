interface UserError {
  field: string[];
  message: string;
}

/** Sorts the server's mistakes to the fields that show them; the rest is for the form as a whole. */
export function fieldErrors(errors: readonly UserError[], shown: readonly string[]): { fields: Record<string, string>; rest: string[] } {
  const fields: Record<string, string> = {};
  const rest: string[] = [];
  for (const { field, message } of errors) {
    const path = field.join('.');
    // A mistake inside of a list belongs to the field of the whole list.
    const at = shown.find((name) => path === name || path.startsWith(`${name}.`));
    if (at) fields[at] = message;
    else rest.push(path ? `${path}: ${message}` : message);
  }
  return { fields, rest };
}
