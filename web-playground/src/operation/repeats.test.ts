import { expect, test } from 'vitest';
import { repeats } from './repeats';

test('a message repeats another one, with or without words around it', () => {
  expect(repeats('the image cannot be pulled', 'the image cannot be pulled')).toBe(true);
  expect(repeats('deploy: the image cannot be pulled', 'the image cannot be pulled')).toBe(true);
  expect(repeats('the image', 'the image cannot be pulled')).toBe(true);
  expect(repeats('the quota is used up', 'the image cannot be pulled')).toBe(false);
  expect(repeats('the quota is used up', undefined)).toBe(false);
});
