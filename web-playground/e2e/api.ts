/** Creates an instance through the API; returns its id. */
export async function createInstance(url: string, name: string, labels: { key: string; value: string }[] = [], token?: string): Promise<string> {
  const { createInstance } = await call<{ createInstance: { instance: { id: string } } }>(
    url,
    'mutation ($input: CreateInstanceInput!) { createInstance(input: $input) { instance { id } userErrors { message } } }',
    { name, labels, storageGb: 1, healthCheck: { intervalSeconds: 2 } },
    token,
  );
  return createInstance.instance.id;
}

export async function deleteInstance(url: string, id: string): Promise<void> {
  await call(url, 'mutation ($input: DeleteInstanceInput!) { deleteInstance(input: $input) { userErrors { message } } }', { id });
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
