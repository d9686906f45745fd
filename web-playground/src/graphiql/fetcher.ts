import type { Fetcher, FetcherParams, Observable } from '@graphiql/toolkit';
import { getOperationAST, type OperationDefinitionNode } from 'graphql';
import type { Client } from 'graphql-ws';
import { authorization } from '../access/token';
import { serverPath } from '../lib/base-path';
import { createLiveClient } from '../live/client';
import { type CursorItem, subscribeResumable, toError } from '../live/resume';

type Headers = Record<string, string>;
type Result = Record<string, unknown>;

/** Queries and mutations by POST, subscriptions by WebSocket, both to `/graphql` of this host. */
export function createFetcher(): Fetcher {
  const clients = new Map<string, Client>();

  // Headers are sent once per connection (in `connection_init`), so each set of headers has its own client.
  function clientFor(headers: Headers): Client {
    const key = JSON.stringify(headers);
    let client = clients.get(key);
    if (!client) clients.set(key, (client = createLiveClient(() => headers)));
    return client;
  }

  return (params, options) => {
    // A header from the editor overrides the token of this browser.
    const headers: Headers = { ...authorization(), ...options?.headers };
    const operation = options?.documentAST && getOperationAST(options.documentAST, params.operationName);
    if (operation?.operation !== 'subscription') return post(params, headers);
    const client = clientFor(headers);
    return takesCursor(operation) ? resumable(client, params) : plain(client, params);
  };
}

async function post(params: FetcherParams, headers: Headers): Promise<Result> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(serverPath('/graphql'), {
      method: 'POST',
      headers: {
        accept: 'application/graphql-response+json, application/json;q=0.9',
        'content-type': 'application/json',
        ...headers,
      },
      body: JSON.stringify(params),
    });
    text = await response.text();
  } catch (cause) {
    return errors(new Error(`The server does not respond (${String(cause)}).`));
  }
  try {
    return JSON.parse(text) as Result;
  } catch {
    // Not GraphQL: the response comes from a proxy, or from a server that is starting.
    return errors(new Error(`${response.status} ${response.statusText}: ${text.slice(0, 500) || 'no body'}`));
  }
}

/** A subscription with a variable `$after` is resumed from its last cursor after a lost connection. */
function takesCursor(operation: OperationDefinitionNode): boolean {
  return operation.variableDefinitions?.some((definition) => definition.variable.name.value === 'after') ?? false;
}

function resumable(client: Client, { query, operationName, variables }: FetcherParams): Observable<Result> {
  return observable((sink) => {
    // A variable that is `null` counts as absent.
    const { after, ...rest } = (variables ?? {}) as { after?: string | null };
    return subscribeResumable<Result, CursorItem>({
      client,
      query,
      operationName: operationName ?? undefined,
      variables: rest,
      after,
      next: (_item, data) => sink.next({ data }),
      // GraphiQL shows the latest item only, so there is nothing to discard.
      reset: () => {},
      error: (error) => sink.fail(error),
      complete: () => sink.complete(),
    });
  });
}

/** Without a cursor, a retry could miss items, so a lost connection is reported as an error. */
function plain(client: Client, { query, operationName, variables }: FetcherParams): Observable<Result> {
  return observable((sink) =>
    client.subscribe<Result>(
      { query, operationName, variables },
      {
        next: (result) => sink.next(result as Result),
        error: (cause) => sink.fail(toError(cause)),
        complete: () => sink.complete(),
      },
    ),
  );
}

/** As a GraphQL response, because GraphiQL shows the stack of an exception. */
function errors(error: Error): Result {
  return { errors: Array.isArray(error.cause) ? error.cause : [{ message: error.message }] };
}

interface Sink {
  next(value: Result): void;
  complete(): void;
  fail(error: Error): void;
}

/** GraphiQL passes an object of callbacks; the other overloads of the type are not used. */
function observable(start: (sink: Sink) => () => void): Observable<Result> {
  return {
    subscribe: (callbacks: unknown) => {
      const { next, complete } = callbacks as Pick<Sink, 'next' | 'complete'>;
      const fail = (error: Error) => {
        next(errors(error));
        complete();
      };
      return { unsubscribe: start({ next, complete, fail }) };
    },
  };
}
