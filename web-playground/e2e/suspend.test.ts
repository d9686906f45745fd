import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createInstance, postgresVersions } from './api';
import { launch, open, section } from './browser';
import { type Server, startServer } from './server';

let server: Server;
let browser: Browser;

// That of this machine, and one to upgrade to: scripts/install-test-postgres.
const PG_BIN = `${process.env.TOYGRES_PG_BIN}:${process.env.TOYGRES_TEST_POSTGRES}/18-complete/bin`;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer({ pgBin: PG_BIN }), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.clear();
});

test('an instance is suspended, resumed and upgraded on its page, and what is changed there holds', async () => {
  const id = await createInstance(server.url, 'orders', [], undefined, { postgresVersion: (await postgresVersions(server.url)).at(-1) });
  const { page } = await open(browser, `${server.url}/instances/${id}`);
  const state = page.getByRole('status', { name: 'Status' });
  await state.getByText('Healthy', { exact: true }).waitFor({ timeout: 60_000 });
  const url = await page.getByTestId('connection-string').textContent();

  await page.getByRole('button', { name: 'Suspend', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Suspend', exact: true }).click();
  await state.getByText('Suspended').waitFor({ timeout: 60_000 });
  await page.getByText('Its server is stopped and its data is kept').first().waitFor();
  await page.getByText('Nobody can connect until the instance is resumed.').waitFor();
  await expect.poll(() => page.getByTestId('connection-string').textContent()).toBe(url);
  await expect.poll(() => state.getByText('Unknown').count(), { message: 'there is no health to show' }).toBe(0);
  await expect.poll(() => page.getByRole('button', { name: 'Restart', exact: true }).count()).toBe(0);

  await page.getByRole('button', { name: 'Upgrade', exact: true }).click();
  const upgrade = page.getByRole('dialog', { name: 'Upgrade orders?' });
  await upgrade.getByText('It is suspended again at the end.').waitFor();
  await upgrade.getByRole('button', { name: 'Cancel', exact: true }).click();
  await upgrade.waitFor({ state: 'detached' });

  await page.getByRole('button', { name: 'Resume', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Resume', exact: true }).click();
  await state.getByText('Healthy', { exact: true }).waitFor({ timeout: 60_000 });

  await section(page, 'Settings');
  await page.getByText('keeps running').waitFor();
  await page.getByRole('button', { name: 'Edit idle suspension' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Suspend when idle').fill('4');
  await dialog.getByText('Must be 5 to 10080 minutes').waitFor();
  await dialog.getByLabel('Suspend when idle').fill('30');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('suspended after 30m').waitFor();

  await page.getByRole('button', { name: 'Edit health checks' }).click();
  await dialog.getByLabel('Health check timeout').fill('61');
  await dialog.getByText('Must be 1 to 60 seconds').waitFor();
  await dialog.getByLabel('Health check timeout').fill('7');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText(/every \d+s, timeout 7s/).waitFor();

  await section(page, 'Overview');
  await page.getByText(/^\d+% used: \d+ MiB of 1 GiB$/).waitFor();
  await section(page, 'Settings');
  await page.getByText('does not grow by itself').waitFor();
  await page.getByRole('button', { name: 'Edit storage growth' }).click();
  await dialog.getByLabel('Grow storage to').fill('0');
  await dialog.getByText('Must be 1 to 65536 GiB').waitFor();
  await dialog.getByLabel('Grow storage to').fill('20');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('grows at 80% to 20 GiB at the most').waitFor();

  await section(page, 'Overview');
  await page.getByText(/^\d+ \(can be upgraded to 18\)$/).waitFor();
  await page.getByRole('button', { name: 'Upgrade', exact: true }).click();
  await dialog.getByText('Afterwards nothing leads back').waitFor();
  await dialog.getByRole('button', { name: 'Upgrade', exact: true }).click();
  await page.getByRole('definition').filter({ hasText: /^18$/ }).waitFor({ timeout: 60_000 });
  await state.getByText('Healthy', { exact: true }).waitFor({ timeout: 60_000 });
});
