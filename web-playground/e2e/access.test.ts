import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectAccessible, launch, open } from './browser';
import { type Server, startServer } from './server';

let server: Server;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer({ access: 'tokens' }), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.clear();
});

test('the page asks for a token, keeps it, and says what it does not allow', async () => {
  const { page } = await open(browser, server.url);
  const dialog = page.getByRole('dialog', { name: 'Access token' });
  await dialog.waitFor();
  await expectAccessible(page);
  await dialog.getByLabel('Token', { exact: true }).fill(await server.token('viewer'));
  await dialog.getByRole('button', { name: 'Use this token' }).click();
  await page.getByText('Live', { exact: true }).waitFor();
  await page.reload();
  await page.getByText('Live', { exact: true }).waitFor();
  expect(await dialog.isVisible()).toBe(false);

  await page.getByRole('button', { name: 'Create an instance' }).click();
  await page.getByLabel('Name').fill('orders');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.getByRole('alert').getByText('OPERATOR').waitFor();
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'More', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Access token' }).click();
  await dialog.getByLabel('Token', { exact: true }).fill(await server.token('operator'));
  await dialog.getByRole('button', { name: 'Use this token' }).click();
  await page.getByRole('button', { name: 'Create an instance' }).click();
  await page.getByLabel('Name').fill('orders');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.getByRole('status', { name: 'State and health' }).getByText('Healthy').waitFor({ timeout: 60_000 });
});
