import { expect, test } from 'vitest';
import { possible } from './versions';

test('a version that the host cannot upgrade to is not offered', () => {
  const targets = [
    { version: '18', obstacle: null },
    { version: '17', obstacle: 'it lacks pg_upgrade' },
    { version: '16', obstacle: null },
  ];
  expect(possible(targets)).toEqual(['18', '16']);
  expect(possible([])).toEqual([]);
});
