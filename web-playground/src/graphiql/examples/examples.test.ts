import { existsSync, readFileSync } from 'node:fs';
import { buildSchema, getOperationAST, parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { examples } from '.';

const sdl = new URL('../../../../schema.graphql', import.meta.url);

describe.skipIf(!existsSync(sdl))('examples', () => {
  const schema = existsSync(sdl) ? buildSchema(readFileSync(sdl, 'utf8')) : undefined;

  test.each(examples)('$query is valid', ({ query, variables }) => {
    expect(validate(schema!, parse(query)).map((error) => error.message)).toEqual([]);
    const declared = getOperationAST(parse(query))?.variableDefinitions?.filter(({ type }) => type.kind === 'NonNullType').map(({ variable }) => variable.name.value);
    expect(Object.keys(JSON.parse(variables ?? '{}')), 'the required variables have initial values').toEqual(declared);
  });

  test('every mutation and subscription of the contract has an example', () => {
    const used = examples.flatMap(({ query }) =>
      (getOperationAST(parse(query))?.selectionSet.selections ?? []).map((field) => (field.kind === 'Field' ? field.name.value : '')),
    );
    const contract = [schema?.getMutationType(), schema?.getSubscriptionType()].flatMap((type) => Object.keys(type?.getFields() ?? {}));
    expect(used).toEqual(expect.arrayContaining(contract));
  });
});
