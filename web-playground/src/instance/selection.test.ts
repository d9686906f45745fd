import { expect, test } from 'vitest';
import { add, extend, extent, NOTHING, remove, toggle } from './selection';

const ORDER = ['a', 'b', 'c', 'd', 'e'];
const ids = ({ ids }: { ids: ReadonlySet<string> }) => [...ids].toSorted().join('');

test('a range reaches from the last one to the one that is chosen, in both directions', () => {
  const one = toggle(NOTHING, 'b');
  expect(ids(extend(one, 'd', ORDER))).toBe('bcd');
  expect(ids(extend(toggle(NOTHING, 'd'), 'b', ORDER))).toBe('bcd');
  // The next range begins where this one ended.
  expect(ids(extend(extend(one, 'd', ORDER), 'e', ORDER))).toBe('bcde');
});

test('a range that ends at a selected one is deselected', () => {
  const all = add(NOTHING, ORDER);
  const without = toggle(all, 'b');
  expect(ids(extend(without, 'd', ORDER))).toBe('ae');
});

test('a range follows the order that is shown', () => {
  expect(ids(extend(toggle(NOTHING, 'a'), 'c', ['c', 'e', 'a', 'b']))).toBe('ace');
});

test('without a beginning that is shown, only the chosen one changes', () => {
  expect(ids(extend(NOTHING, 'c', ORDER))).toBe('c');
  expect(ids(extend(toggle(NOTHING, 'x'), 'c', ORDER))).toBe('cx');
});

test('what a filter hides stays selected', () => {
  const selection = add(NOTHING, ['a', 'b']);
  expect(extent(selection, ['b'])).toBe('all');
  expect(extent(selection, ['b', 'c'])).toBe('some');
  expect(extent(selection, [])).toBe('none');
  expect(ids(remove(selection, ['b']))).toBe('a');
});
