import { expect, test } from 'vitest';
import { parseHidden } from './columns';

const ALL = [
  { id: 'size', name: 'Size' },
  { id: 'age', name: 'Age' },
] as const;

test('what is stored is read, and what is not understood is as if nothing were', () => {
  expect(parseHidden('["age"]', ALL)).toEqual(new Set(['age']));
  expect(parseHidden('["a former column","size"]', ALL)).toEqual(new Set(['size']));
  for (const text of [null, '', '{', '7', '{"size":1}', 'null']) expect(parseHidden(text, ALL)).toEqual(new Set());
});
