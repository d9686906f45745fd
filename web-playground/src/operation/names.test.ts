import { expect, test } from 'vitest';
import { activityOf, nameOf } from './names';

test('a clone is told from a restoration, although both are of the kind RESTORE', () => {
  expect(nameOf({ kind: 'RESTORE', restoration: { clones: true } })).toBe('Clone');
  expect(activityOf({ kind: 'RESTORE', restoration: { clones: true } })).toBe('Cloning');
  expect(nameOf({ kind: 'RESTORE', restoration: { clones: false } })).toBe('Restore');
  expect(activityOf({ kind: 'RESTORE', restoration: { clones: false } })).toBe('Restoring');
  expect(nameOf({ kind: 'ROTATE_PASSWORD', restoration: null })).toBe('Rotate password');
  expect(activityOf({ kind: 'ROTATE_PASSWORD' })).toBe('Rotating password');
});
