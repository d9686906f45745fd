import { expect, test } from 'vitest';
import { fieldErrors, InputError } from './user-errors';

const values = { name: '', labels: [{ key: '', value: '' }], exposure: { dnsLabel: '' }, version: null };

test('errors start with a capital letter, and go to the field at their path, the rest to the form', () => {
  const errors = [
    { field: ['name'], message: 'taken' },
    { field: ['labels', '0', 'key'], message: 'empty' },
    { field: ['exposure', 'dnsLabel'], message: 'too long' },
    { field: ['version'], message: 'unknown' },
    { field: ['id'], message: 'not found' },
    { field: ['revision'], message: 'outdated' },
    { field: [], message: 'conflict' },
  ];
  expect(fieldErrors(errors, values)).toEqual({
    fields: { name: 'Taken', labels: 'Empty', 'exposure.dnsLabel': 'Too long', version: 'Unknown' },
    rest: ['Not found', 'Revision: outdated', 'Conflict'],
  });
});

test('an input error reads as its messages', () => {
  expect(new InputError([{ field: ['id'], message: 'One.' }, { field: [], message: 'Two.' }]).message).toBe('One. Two.');
});
