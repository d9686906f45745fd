import { expect, test } from 'vitest';
import { createKeys } from './idempotency';

test('the same input has the same key, another input another key', () => {
  const keyFor = createKeys();
  const first = keyFor({ id: 'a', timeoutSeconds: 60 });
  expect(keyFor({ id: 'a', timeoutSeconds: 60 })).toBe(first);
  expect(keyFor({ id: 'a', timeoutSeconds: 61 })).not.toBe(first);
});

test('two forms never share a key', () => {
  expect(createKeys()({ id: 'a' })).not.toBe(createKeys()({ id: 'a' }));
});
