import { existsSync, readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { examples } from '.';

const sdl = new URL('../../../../schema.graphql', import.meta.url);

describe.skipIf(!existsSync(sdl))('examples', () => {
  const schema = existsSync(sdl) ? buildSchema(readFileSync(sdl, 'utf8')) : undefined;

  test.each(examples)('$query is valid', ({ query }) => {
    expect(validate(schema!, parse(query)).map((error) => error.message)).toEqual([]);
  });
});
