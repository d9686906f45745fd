import { sendDocument } from '../lib/request';

/** Returns why the server does not admit a token, or null. */
export async function check(token: string): Promise<string | null> {
  const response = await sendDocument(JSON.stringify({ query: '{ __typename }' }), token);
  if (response.ok) return null;
  const { errors } = (await response.json().catch(() => ({}))) as { errors?: { message: string }[] };
  return errors?.[0]?.message ?? `the server responded with ${response.status} ${response.statusText}`;
}
