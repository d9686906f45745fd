import { expect, test } from 'vitest';
import { kept } from './kept';

test('a backup that is kept longer says why', () => {
  expect(kept('RETENTION', 'noon')).toBe('noon');
  expect(kept('KEEP_UNTIL', 'noon')).toBe('noon');
  expect(kept('RESTORE_POINTS', 'noon')).toBe('noon; restore points need it');
  expect(kept('NEWEST', 'noon')).toBe('noon; the newest is kept');
  expect(kept(null, '—')).toBe('—');
});
