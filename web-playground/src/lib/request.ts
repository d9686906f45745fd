import { askForToken, authorization } from '../access/token';
import type { TypedDocumentString } from '../gql/graphql';
import { serverPath } from './base-path';

/** Why a query or mutation failed. Expected failures of mutations are data (`userErrors`) instead. */
export class RequestError extends Error {
  /** Whether the same request may succeed later: the server or its database is unavailable. */
  readonly transient: boolean;

  constructor(message: string, transient: boolean) {
    super(message);
    this.transient = transient;
  }
}

interface Answer<Result> {
  data?: Result | null;
  errors?: { message: string; extensions?: { code?: string } }[];
}

const TRANSIENT_CODES = new Set(['UNAVAILABLE', 'INTERNAL']);

/** Sends a query or mutation by POST. Caching and retries are up to TanStack Query. */
export async function request<Result>(document: TypedDocumentString<Result, Record<string, never>>): Promise<Result>;
export async function request<Result, Variables>(document: TypedDocumentString<Result, Variables>, variables: Variables): Promise<Result>;
export async function request<Result, Variables>(document: TypedDocumentString<Result, Variables>, variables?: Variables): Promise<Result> {
  const { data, errors } = await post<Result>(JSON.stringify({ query: document.toString(), variables }));
  const error = errors?.[0];
  if (error) throw new RequestError(error.message, TRANSIENT_CODES.has(error.extensions?.code ?? ''));
  if (!data) throw new RequestError('The server sent no data.', false);
  return data;
}

async function post<Result>(body: string): Promise<Answer<Result>> {
  let response: Response;
  try {
    response = await fetch(serverPath('/graphql'), {
      method: 'POST',
      headers: {
        accept: 'application/graphql-response+json, application/json;q=0.9',
        'content-type': 'application/json',
        ...authorization(),
      },
      body,
    });
  } catch {
    throw new RequestError('The server does not respond.', true);
  }
  if (response.status === 401) {
    askForToken();
    throw new RequestError('The server requires an access token.', false);
  }
  try {
    return (await response.json()) as Answer<Result>;
  } catch {
    // Not GraphQL: the response comes from a proxy, or from a server that is starting.
    throw new RequestError(`The server responded with ${response.status} ${response.statusText}.`, response.status >= 500);
  }
}
