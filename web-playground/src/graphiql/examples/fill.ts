/** What exists on the server: the newest of each. */
export interface Existing {
  instance?: { id: string; name: string };
  operation?: string;
  backup?: string;
}

interface Example {
  query: string;
  variables: string | null;
}

/**
 * Fills the empty IDs of an example, so that it works as it is. What deletes, drops or revokes keeps them: the tab must not be one key
 * away from the loss of data.
 */
export function fill({ query, variables }: Example, existing: Existing, now: Date): Example {
  if (!variables || /^\s*(delete|drop|revoke)/m.test(query)) return { query, variables };
  const filled: unknown = JSON.parse(variables, (key, value: unknown) => valueOf(key, value, query, existing, now));
  return { query, variables: JSON.stringify(filled, null, 2) };
}

function valueOf(key: string, value: unknown, query: string, { instance, operation, backup }: Existing, now: Date): unknown {
  // The only example with a name of an instance that must exist.
  if (key === 'name' && query.includes('instanceByName')) return instance?.name ?? value;
  if (value !== '') return value;
  switch (key) {
    case 'instanceId':
    case 'sourceId':
      return instance?.id ?? '';
    case 'time':
      return now.toISOString();
    case 'id':
      return (/Operation\(/.test(query) ? operation : /Backup\(/.test(query) ? backup : instance?.id) ?? '';
    default:
      return value;
  }
}
