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

test('the examples name the newest instance, so that they work as they are', async () => {
  const id = await createInstance(server.url, 'orders');
  const { page } = await open(browser, `${server.url}/graphiql`);
  await shown(page, 'instances');
  await page.getByRole('tab', { name: 'WatchInstance', exact: true }).click();
  await shown(page, 'instance');
  await expect.poll(() => page.locator('.graphiql-editor-tool').innerText()).toContain(id);
  await execute(page);
  await expect.poll(() => page.locator('.result-window').innerText(), { timeout: 30_000 }).toContain('orders');
  await page.context().close();
});

test('on a phone, the result has the width of the page', async () => {
  const { page } = await open(browser, `${server.url}/graphiql`, { width: 390, height: 844 });
  await shown(page, 'instances');
  const [query, result] = await Promise.all([page.locator('.graphiql-editors').boundingBox(), page.locator('.graphiql-response').boundingBox()]);
  expect(result?.width ?? 0).toBeGreaterThan(300);
  expect(result?.height ?? 0).toBeGreaterThan(200);
  expect(result?.y ?? 0, 'below the query').toBeGreaterThanOrEqual((query?.y ?? 0) + (query?.height ?? 0));
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('GraphiQL');
  await page.context().close();
});
