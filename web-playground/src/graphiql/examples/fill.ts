/** What exists on the server: the newest of each. */
export interface Existing {
  /** `upgrade` is the newest version that the instance can be upgraded to. */
  instance?: { id: string; name: string; upgrade?: string };
  operation?: string;
  backup?: string;
}

interface Example {
  query: string;
  variables: string | null;
}

/**
 * Fills the empty IDs of an example, so that it works as it is. What deletes, drops or revokes keeps them: the tab must not be one key
 * away from the loss of data. So does the ID of a session, whose work would be lost, and that of a webhook, which only administrators can
 * ask for.
 */
export function fill({ query, variables }: Example, existing: Existing): Example {
  if (!variables || /^\s*(delete|drop|revoke|\w+Webhook)/m.test(query)) return { query, variables };
  const filled: unknown = JSON.parse(variables, (key, value: unknown) => valueOf(key, value, query, existing));
  return { query, variables: JSON.stringify(filled, null, 2) };
}

function valueOf(key: string, value: unknown, query: string, { instance, operation, backup }: Existing): unknown {
  // The only example with a name of an instance that must exist, and the only one with a version that the server must have.
  if (key === 'name' && query.includes('instanceByName')) return instance?.name ?? value;
  if (key === 'version' && query.includes('upgradeInstance')) return instance?.upgrade ?? value;
  if (value !== '') return value;
  switch (key) {
    case 'instanceId':
    case 'sourceId':
      return instance?.id ?? '';
    case 'id':
      return (/Operation\(/.test(query) ? operation : /Backup\(/.test(query) ? backup : instance?.id) ?? '';
    default:
      return value;
  }
}
