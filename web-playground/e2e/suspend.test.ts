import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createInstance } from './api';
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

test('an instance is suspended and resumed on its page, and what is changed there holds', async () => {
  const id = await createInstance(server.url, 'orders');
  const { page } = await open(browser, `${server.url}/instances/${id}`);
  const state = page.getByRole('status', { name: 'State and health' });
  await state.getByText('Healthy', { exact: true }).waitFor({ timeout: 60_000 });
  const url = await page.getByTestId('connection-string').textContent();

  await page.getByRole('button', { name: 'Suspend', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Suspend', exact: true }).click();
  await state.getByText('Suspended').waitFor({ timeout: 60_000 });
  await page.getByText('Its server is stopped and its data is kept').first().waitFor();
  await page.getByText('Nobody can connect until the instance is resumed.').waitFor();
  expect(await page.getByTestId('connection-string').textContent()).toBe(url);
  expect(await state.getByText('Unknown').count(), 'there is no health to show').toBe(0);
  expect(await page.getByRole('button', { name: 'Restart', exact: true }).count()).toBe(0);

  await page.getByRole('button', { name: 'Resume', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Resume', exact: true }).click();
  await state.getByText('Healthy', { exact: true }).waitFor({ timeout: 60_000 });

  await page.getByText('keeps running').waitFor();
  await page.getByRole('button', { name: 'Change when it is suspended' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Suspend when idle').fill('4');
  await dialog.getByText('must be 5 to 10080 minutes').waitFor();
  await dialog.getByLabel('Suspend when idle').fill('30');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('suspended after 30 min').waitFor();

  await page.getByRole('button', { name: 'Change health checks' }).click();
  await dialog.getByLabel('Health check timeout').fill('61');
  await dialog.getByText('must be 1 to 60 seconds').waitFor();
  await dialog.getByLabel('Health check timeout').fill('7');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText(/every \d+ s, timeout 7 s/).waitFor();
});
