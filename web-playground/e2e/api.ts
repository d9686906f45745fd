/** Creates an instance through the API; returns its id. */
export async function createInstance(url: string, name: string, labels: { key: string; value: string }[] = [], token?: string, more: object = {}): Promise<string> {
  const { createInstance } = await call<{ createInstance: { instance: { id: string } } }>(
    url,
    'mutation ($input: CreateInstanceInput!) { createInstance(input: $input) { instance { id } userErrors { message } } }',
    { name, labels, storageGb: 1, healthCheck: { intervalSeconds: 2 }, ...more },
    token,
  );
  return createInstance.instance.id;
}

/** The versions on offer, newest first. */
export async function postgresVersions(url: string): Promise<string[]> {
  const { controlPlane } = await call<{ controlPlane: { postgresVersions: string[] } }>(url, '{ controlPlane { postgresVersions } }', {});
  return controlPlane.postgresVersions;
}

export async function deleteInstance(url: string, id: string): Promise<void> {
  await call(url, 'mutation ($input: DeleteInstanceInput!) { deleteInstance(input: $input) { userErrors { message } } }', { id });
}

export async function updateInstance(url: string, input: { id: string; name?: string; labels?: { key: string; value: string }[]; deletionProtected?: boolean }): Promise<void> {
  await call(url, 'mutation ($input: UpdateInstanceInput!) { updateInstance(input: $input) { userErrors { message } } }', input);
}

async function call<Data>(url: string, query: string, input: object, token?: string): Promise<Data> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables: { input } }),
  });
  const { data, errors } = (await response.json()) as { data: Data; errors?: unknown };
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}
