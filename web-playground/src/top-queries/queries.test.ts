import { expect, test } from 'vitest';
import { count, identity, time } from './queries';

test('times are readable from microseconds to hours', () => {
  expect([0.004, 0.42, 4.2, 42, 4200, 4_200_000].map(time)).toEqual(['0.00ms', '0.42ms', '4.2ms', '42ms', '4.2s', '70m']);
});

test('large numbers are short', () => {
  expect(['0', '999', '12345', '4500000', '7000000000'].map(count)).toEqual(['0', '999', '12.3k', '4.5M', '7B']);
});

test('the same statement of another role is another one', () => {
  const query = { queryId: '1', username: 'app', database: 'shop' };
  expect(identity(query, 0)).toBe(identity(query, 3));
  expect(identity({ ...query, username: 'reports' }, 0)).not.toBe(identity(query, 0));
  expect(identity({ ...query, username: null }, 0)).not.toBe(identity({ ...query, username: null }, 1));
});
