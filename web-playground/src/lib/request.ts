import { askForToken, authorization } from '../access/token';
import type { TypedDocumentString } from '../gql/graphql';

/** What went wrong with a query or mutation; expected failures of mutations are data (`userErrors`) instead. */
export class RequestError extends Error {
  /** Whether the same request may succeed later: the server is away, or its database is. */
  readonly passing: boolean;

  constructor(message: string, passing: boolean) {
    super(message);
    this.passing = passing;
  }
}

type Variables<V> = V extends Record<string, never> ? [] : [variables: V];

interface Answer<Result> {
  data?: Result | null;
  errors?: { message: string; extensions?: { code?: string } }[];
}

const PASSING_CODES = new Set(['UNAVAILABLE', 'INTERNAL']);

/** Sends a query or mutation by POST. */
export async function request<Result, V>(document: TypedDocumentString<Result, V>, ...[variables]: Variables<V>): Promise<Result> {
  const { data, errors } = await post<Result>(JSON.stringify({ query: document.toString(), variables }));
  const first = errors?.[0];
  if (first) {
    const code = first.extensions?.code ?? '';
    throw new RequestError(first.message, PASSING_CODES.has(code));
  }
  if (!data) throw new RequestError('The server sent no data.', false);
  return data;
}

async function post<Result>(body: string): Promise<Answer<Result>> {
  let response: Response;
  try {
    response = await fetch('/graphql', {
      method: 'POST',
      headers: {
        accept: 'application/graphql-response+json, application/json;q=0.9',
        'content-type': 'application/json',
        ...authorization(),
      },
      body,
    });
  } catch {
    throw new RequestError('The server does not answer.', true);
  }
  if (response.status === 401) {
    askForToken();
    throw new RequestError('The server asks for an access token.', false);
  }
  try {
    return (await response.json()) as Answer<Result>;
  } catch {
    // Not GraphQL: a proxy's page, or a server that is starting.
    throw new RequestError(`The server answered ${response.status} ${response.statusText}.`, response.status >= 500);
  }
}
