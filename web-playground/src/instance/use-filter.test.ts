import { expect, test } from 'vitest';
import { read, write } from './use-filter';

const through = (search: string) => write(read(new URLSearchParams(search))).toString();

test('filter and order are kept in the URL', () => {
  for (const search of ['', 'q=team%3Dshop', 'status=failed&status=unhealthy', 'deleted=', 'sort=name', 'sort=-age']) expect(through(search)).toBe(search);
});

test('what is unknown in it, and what is the default, is left out', () => {
  expect(through('status=excellent&sort=age&other=1')).toBe('');
});
