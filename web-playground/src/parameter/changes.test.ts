import { expect, test } from 'vitest';
import { changesOf, errorsOf, initialRows } from './changes';

const present = [
  { name: 'huge_pages', value: null, pendingRestart: true, pendingValue: 'off' },
  { name: 'max_connections', value: '50', pendingRestart: true, pendingValue: null },
  { name: 'work_mem', value: '8MB', pendingRestart: false, pendingValue: null },
];

test('the form starts with what is wanted, not with what the server still has', () => {
  expect(initialRows(present)).toEqual([
    { name: 'huge_pages', value: 'off' },
    { name: 'work_mem', value: '8MB' },
  ]);
});

test('what is removed gets its default, after the rows', () => {
  const rows = [
    { name: 'jit', value: 'off' },
    { name: 'huge_pages', value: 'on' },
  ];
  expect(changesOf(present, rows)).toEqual([...rows, { name: 'work_mem', value: null }]);
});

test('an error belongs to its row', () => {
  const errors = [
    { field: ['parameters', '1', 'value'], message: 'too much' },
    { field: ['id'], message: 'busy' },
  ];
  expect(errorsOf(errors)).toEqual([undefined, 'too much']);
});
