import { useMutation } from '@tanstack/react-query';
import { useRef } from 'react';
import type { TypedDocumentString } from '../gql/graphql';
import { createKeys } from './idempotency';
import { request } from './request';
import { InputError, type UserError } from './user-errors';

/** The payload of the only field of a mutation, which selects `userErrors { field message }`. */
type Payload<Result> = Extract<Result[keyof Result], { userErrors: UserError[] }>;

interface Options<Result> {
  /** The input takes an idempotency key, which is added. */
  idempotent?: boolean;
  onSuccess?: (payload: Payload<Result>) => void;
}

/** A mutation of the contract. `userErrors` reject it with an `InputError`. */
export function useMutate<Result extends object, Input extends object>(
  document: TypedDocumentString<Result, { input: Input }>,
  { idempotent = false, onSuccess }: Options<Result> = {},
) {
  const keyFor = useRef(createKeys());
  return useMutation<Payload<Result>, Error, Input>({
    mutationFn: (input) => mutate(document, idempotent ? { ...input, idempotencyKey: keyFor.current(input) } : input),
    onSuccess,
  });
}

/** Sends a mutation once. `userErrors` reject it with an `InputError`. */
export async function mutate<Result extends object, Input extends object>(document: TypedDocumentString<Result, { input: Input }>, input: Input): Promise<Payload<Result>> {
  const payload = Object.values(await request(document, { input }))[0] as Payload<Result>;
  if (payload.userErrors.length) throw new InputError(payload.userErrors);
  return payload;
}
