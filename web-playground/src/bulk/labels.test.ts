import { expect, test } from 'vitest';
import { changed, keysOf } from './labels';

const LABELS = [
  { key: 'team', value: 'shop' },
  { key: 'env', value: 'test' },
];

test('labels are set and removed, and the others stay', () => {
  expect(changed(LABELS, { set: [{ key: 'team', value: 'finance' }], remove: ['env'] })).toEqual([{ key: 'team', value: 'finance' }]);
  expect(changed(LABELS, { set: [{ key: 'tier', value: '' }], remove: [] })).toEqual([...LABELS, { key: 'tier', value: '' }]);
});

test('a change that changes nothing is none', () => {
  expect(changed(LABELS, { set: [{ key: 'env', value: 'test' }], remove: ['tier'] })).toBe(undefined);
  expect(changed([], { set: [], remove: [] })).toBe(undefined);
  // A value may be empty, which is not the same as no label.
  expect(changed([], { set: [{ key: 'tier', value: '' }], remove: [] })).toEqual([{ key: 'tier', value: '' }]);
});

test('keys are listed once', () => {
  expect(keysOf([{ labels: LABELS }, { labels: [{ key: 'env', value: 'live' }] }])).toEqual(['env', 'team']);
});
