import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createInstance, deleteInstance } from './api';
import { launch, open } from './browser';
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

test('every page recovers from a restart of the server without a reload', async () => {
  const first = await createInstance(server.url, 'before');
  const { page: list } = await open(browser, server.url);
  const { page: instance } = await open(browser, server.url);
  await instance.getByRole('link', { name: 'before' }).click();
  const { page: operations } = await open(browser, server.url);
  await operations.getByRole('navigation').getByRole('link', { name: 'Operations' }).click();
  await operations.getByRole('row', { name: /Create.*before.*Succeeded/s }).waitFor();
  const pages = [list, instance, operations];
  await instance.getByText('Healthy', { exact: true }).waitFor();
  for (const page of pages) await page.evaluate(() => Object.assign(window, { neverReloaded: true }));

  await server.stop();
  for (const page of pages) await page.getByText('Reconnecting').waitFor();
  await expect.poll(() => list.getByRole('link', { name: 'before' }).isVisible()).toBe(true);
  await server.start();
  for (const page of pages) await page.getByText('Live', { exact: true }).waitFor({ timeout: 30_000 });

  await createInstance(server.url, 'after');
  await list.getByRole('row', { name: /after.*Healthy/ }).waitFor({ timeout: 60_000 });
  await operations.getByRole('row', { name: /Create.*after.*Succeeded/s }).waitFor({ timeout: 60_000 });
  await deleteInstance(server.url, first);
  await instance.getByRole('status', { name: 'Status' }).getByText('Deleted').waitFor({ timeout: 60_000 });
  await list.getByRole('link', { name: 'before' }).waitFor({ state: 'detached', timeout: 60_000 });
  await operations.getByRole('row', { name: /Delete.*before.*Succeeded/s }).waitFor();

  for (const page of pages) expect(await page.evaluate(() => 'neverReloaded' in window)).toBe(true);
});
