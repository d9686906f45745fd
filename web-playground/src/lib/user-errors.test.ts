import { expect, test } from 'vitest';
import { fieldErrors, InputError } from './user-errors';

const values = { name: '', labels: [{ key: '', value: '' }], exposure: { dnsLabel: '' }, version: null };

test('errors go to the field at their path, the rest to the form', () => {
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
    fields: { name: 'taken', labels: 'empty', 'exposure.dnsLabel': 'too long', version: 'unknown' },
    rest: ['not found', 'revision: outdated', 'conflict'],
  });
});

test('an input error reads as its messages', () => {
  expect(new InputError([{ field: ['id'], message: 'One.' }, { field: [], message: 'Two.' }]).message).toBe('One. Two.');
});
