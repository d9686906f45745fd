import { expect, test } from 'vitest';
import { pool } from './pool';

test('every item is worked on once, and not more at a time than allowed', async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  await pool([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, item % 2 ? 5 : 1));
    done.push(item);
    running--;
  });
  expect(done.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(most).toBe(3);
});

test('what has not begun when it is aborted does not begin', async () => {
  const abort = new AbortController();
  const begun: number[] = [];
  await pool(
    [1, 2, 3, 4],
    1,
    async (item) => {
      begun.push(item);
      if (item === 2) abort.abort();
    },
    abort.signal,
  );
  expect(begun).toEqual([1, 2]);
});
