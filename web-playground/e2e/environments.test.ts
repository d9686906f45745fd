import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createInstance } from './api';
import { execute, launch, launchWithoutSiteData, open, shown, watch } from './browser';
import { type Server, startServer } from './server';

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options: Parameters<typeof startServer>[0]): Promise<Server> {
  const server = await startServer(options);
  cleanups.push(() => server.clear());
  return server;
}

test('below a path, every page, its data and its links are found', async () => {
  const server = await start({ basePath: '/db/toygres' });
  const browser = await launch();
  cleanups.push(() => browser.close());
  const id = await createInstance(server.url, 'orders');
  const at = (path: string) => `${server.url}/db/toygres${path}`;

  const { page, complaints } = await open(browser, at('/'));
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'orders' }).click();
  await expect.poll(() => page.url()).toBe(at(`/instances/${id}`));
  await page.getByRole('heading', { name: 'orders' }).waitFor();
  await page.getByRole('link', { name: 'Skip to content' }).press('Enter');
  await expect.poll(() => page.url()).toBe(at(`/instances/${id}#main`));
  await page.reload();
  await page.getByRole('heading', { name: 'orders' }).waitFor();
  await page.getByRole('link', { name: 'Operations', exact: true }).click();
  await page.getByRole('main').getByText('orders').first().waitFor();
  await page.getByRole('link', { name: 'GraphiQL' }).click();
  await page.waitForURL(at('/graphiql'));
  await execute(page);
  await page.getByRole('button', { name: 'More' }).click();
  await expect.poll(() => page.getByRole('menuitem', { name: 'Schema' }).getAttribute('href')).toBe('/db/toygres/schema.graphql');
  await page.getByRole('menuitem', { name: 'Documentation' }).click();
  await page.getByRole('navigation', { name: 'Documents' }).getByRole('link', { name: 'Operations' }).click();
  await page.waitForURL(at('/docs/operations'));
  await page.getByText(`export TOYGRES_URL=${at('')}`).waitFor();
  // A link in the text, which loads no other page.
  await page.evaluate(() => Object.assign(window, { neverReloaded: true }));
  await page.getByRole('article').getByRole('link', { name: 'decision 0012' }).first().click();
  await page.waitForURL(at('/docs/decisions/0012-users-and-databases'));
  await page.getByRole('heading', { level: 1, name: /^0012/ }).waitFor();
  expect(await page.evaluate(() => 'neverReloaded' in window)).toBe(true);
  expect(complaints).toEqual([]);
});

test('in a browser that blocks site data, every page works, and a token lasts as long as the page', async () => {
  const server = await start({ access: 'tokens' });
  const profile = await mkdtemp(join(tmpdir(), 'toygres-profile-'));
  cleanups.push(() => rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }));
  const context = await launchWithoutSiteData(profile);
  cleanups.push(() => context.close());

  const { page, complaints } = watch(await context.newPage());
  await page.goto(server.url);
  const blocked = await page.evaluate(() => {
    try {
      return window.localStorage === null;
    } catch {
      return true;
    }
  });
  expect(blocked).toBe(true);
  const dialog = page.getByRole('dialog', { name: 'Sign in with an API token' });
  await dialog.getByText('until this page is closed').waitFor();
  await dialog.getByLabel('Token', { exact: true }).fill(await server.token('viewer'));
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'GraphiQL' }).click();
  await shown(page, 'query');
  await execute(page);
  await page.reload();
  await dialog.waitFor();
  // Without a token, the server refuses requests.
  expect(complaints.filter((complaint) => !complaint.includes('401'))).toEqual([]);
});
