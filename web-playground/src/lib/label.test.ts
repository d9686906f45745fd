import { expect, test } from 'vitest';
import { OperationKind, StepName } from '../gql/graphql';
import { label, sentenceCase } from './label';

test.each([
  ['RESTART', 'Restart'],
  ['RESTART_POSTGRES', 'Restart PostgreSQL'],
  ['UPDATE_METADATA', 'Update metadata'],
  ['CLEAN_UP', 'Clean up'],
])('%s is labelled %s', (value, text) => {
  expect(label(value)).toBe(text);
});

test('every kind and step of the contract has a label in words', () => {
  for (const value of [...Object.values(OperationKind), ...Object.values(StepName)]) expect(label(value)).toMatch(/^[A-Z][A-Za-z ]+$/);
});

test('sentence case leaves the rest of the text as it is', () => {
  expect(sentenceCase('no PostgreSQL 17 is installed')).toBe('No PostgreSQL 17 is installed');
});
