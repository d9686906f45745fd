import { authorization, refuse } from '../access/token';
import type { TypedDocumentString } from '../gql/graphql';
import { serverPath } from './base-path';
import { sentenceCase } from './label';

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
  if (error) throw new RequestError(sentenceCase(error.message), TRANSIENT_CODES.has(error.extensions?.code ?? ''));
  if (!data) throw new RequestError('The server sent no data.', false);
  return data;
}

/** Posts a request, with another token than that of this browser if one is given. */
export async function sendDocument(body: string, token?: string): Promise<Response> {
  try {
    return await fetch(serverPath('/graphql'), {
      method: 'POST',
      headers: {
        accept: 'application/graphql-response+json, application/json;q=0.9',
        'content-type': 'application/json',
        ...authorization(token),
      },
      body,
    });
  } catch {
    throw new RequestError("Can't reach the server.", true);
  }
}

async function post<Result>(body: string): Promise<Answer<Result>> {
  const response = await sendDocument(body);
  try {
    const answer = (await response.json()) as Answer<Result>;
    const reason = answer.errors?.[0]?.message ?? 'the server requires an API token';
    if (response.status === 401) refuse(reason);
    return answer;
  } catch {
    // Not GraphQL: the response comes from a proxy, or from a server that is starting.
    throw new RequestError(`The server responded with ${response.status} ${response.statusText}.`, response.status >= 500);
  }
}
