import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createInstance } from './api';
import { launch, open, section } from './browser';
import { type Server, startServer } from './server';

let server: Server;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer({ backups: true }), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.clear();
});

test('the page of an instance shows what can be restored, and takes, keeps and deletes backups', async () => {
  const id = await createInstance(server.url, 'orders');
  const { page } = await open(browser, `${server.url}/instances/${id}?tab=backups`);
  const panel = page.getByRole('region', { name: 'Backups' });
  await panel.getByText('Protected. Kept for 7 days').waitFor({ timeout: 90_000 });
  await panel.getByText('which does not survive the loss of this machine').waitFor();
  await panel.getByRole('img', { name: /^Recoverable from .* with 0 gaps$/ }).waitFor();
  const rows = panel.getByRole('table', { name: 'Backups' }).locator('tbody tr');
  await expect.poll(() => rows.count()).toBe(1);

  await panel.getByRole('button', { name: 'Back up now' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Back up', exact: true }).click();
  await expect.poll(() => rows.filter({ hasText: 'Available' }).count(), { timeout: 60_000 }).toBe(2);

  const older = rows.nth(1);
  await older.getByRole('button', { name: 'Lock' }).click();
  await older.getByText('locked').waitFor();
  await expect.poll(() => older.getByRole('button', { name: 'Delete' }).isDisabled()).toBe(true);
  await older.getByRole('button', { name: 'Unlock' }).click();
  await older.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await expect.poll(() => rows.count(), { timeout: 60_000 }).toBe(1);
  await rows.first().getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('alert').getByText('it is the newest backup').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();

  await panel.getByRole('button', { name: 'Restore' }).click();
  const restore = page.getByRole('dialog');
  await restore.getByRole('button', { name: 'Restore', exact: true }).click();
  await restore.getByText('Choose a name for the new instance.').waitFor();
  await restore.getByLabel('Name of the new instance').fill('orders-restored');
  await restore.getByLabel('A time').check();
  await restore.getByLabel('Time', { exact: true }).fill('2020-01-01T00:00:00');
  await restore.getByText('This is earlier than what is kept.').waitFor();
  await restore.getByLabel(/^The latest/).check();
  await restore.getByRole('button', { name: 'Restore', exact: true }).click();
  await page.getByRole('heading', { name: 'orders-restored' }).waitFor();
  await section(page, 'Backups');
  await page.getByRole('region', { name: 'Backups' }).getByText('Protected. Kept for 7 days').waitFor({ timeout: 90_000 });
  await page.goto(`${server.url}/instances/${id}?tab=backups`);

  await panel.getByRole('button', { name: 'Clone' }).click();
  const clone = page.getByRole('dialog');
  await clone.getByRole('button', { name: 'Clone', exact: true }).click();
  await clone.getByText('Choose a name for the new instance.').waitFor();
  await clone.getByLabel('Name of the new instance').fill('orders');
  await clone.getByRole('button', { name: 'Clone', exact: true }).click();
  await clone.getByText(/already/).waitFor();
  await clone.getByLabel('Name of the new instance').fill('orders-copy');
  await clone.getByRole('button', { name: 'Clone', exact: true }).click();
  await page.getByRole('heading', { name: 'orders-copy' }).waitFor();
  await section(page, 'Backups');
  await page.getByRole('region', { name: 'Backups' }).getByText('Protected. Kept for 7 days').waitFor({ timeout: 90_000 });
  // Not that of a backup.
  await section(page, 'Settings');
  await page.getByRole('region', { name: 'Deletion' }).getByRole('button', { name: 'Delete' }).click();
  const remove = page.getByRole('dialog');
  await remove.getByLabel('Take a final backup first').check();
  await remove.getByLabel('Type "orders-copy" to confirm').fill('orders-copy');
  await remove.getByRole('button', { name: 'Delete' }).click();
  await section(page, 'Backups');
  await expect.poll(() => rows.filter({ hasText: 'Available' }).count(), { timeout: 90_000 }).toBe(2);
  await page.getByText('Deleted', { exact: true }).first().waitFor({ timeout: 90_000 });
  await page.goto(`${server.url}/instances/${id}?tab=backups`);

  await panel.getByRole('button', { name: 'Change the policy' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Retention').fill('9999');
  await dialog.getByText('must be 0 to 3650 days').waitFor();
  await dialog.getByLabel('Retention').fill('30');
  await dialog.getByRole('switch', { name: 'Back it up' }).uncheck();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await panel.getByText('Nothing protects this instance: its backups are turned off.').waitFor();
  await expect.poll(() => panel.getByRole('button', { name: 'Back up now' }).isDisabled()).toBe(true);
}, 240_000);
