import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createInstance } from './api';
import { execute, launch, open, shown } from './browser';
import { type Server, startServer } from './server';

let server: Server;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.clear();
});

test('a subscription in GraphiQL shows events', async () => {
  const { page, complaints } = await open(browser, `${server.url}/graphiql`);
  await shown(page, 'instances');
  await page.getByRole('tab', { name: 'WatchEvents' }).click();
  await shown(page, 'instanceEvents');
  await execute(page);
  await page.getByRole('button', { name: /Stop query/ }).waitFor();
  await createInstance(server.url, 'watched');
  const answer = page.locator('.result-window');
  await expect.poll(() => answer.innerText(), { timeout: 30_000 }).toContain('HEALTH_CHANGED');
  await page.getByRole('button', { name: /Stop query/ }).click();
  expect(complaints).toEqual([]);
});
