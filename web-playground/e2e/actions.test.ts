import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createInstance, updateInstance } from './api';
import { launch, open, type Watched } from './browser';
import { type Server, startServer } from './server';

let server: Server;
let browser: Browser;
let watched: Watched;
let page: Page;
let ids: string[];

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), launch()]);
  ids = [];
  for (const name of ['orders', 'billing', 'sessions']) ids.push(await createInstance(server.url, name, [{ key: 'team', value: 'shop' }]));
  watched = await open(browser, server.url);
  page = watched.page;
  for (const name of ['orders', 'billing', 'sessions']) await row(name, 'Healthy').waitFor({ timeout: 60_000 });
});

afterAll(async () => {
  await browser?.close();
  await server?.clear();
});

const row = (name: string, status: string) => page.getByRole('row', { name: new RegExp(`${name}.*${status}`, 's') });
const start = async (name: string, action: string) => {
  await page.getByRole('button', { name: `Actions for ${name}` }).click();
  await page.getByRole('menuitem', { name: action }).click();
  return page.getByRole('dialog');
};
const bar = () => page.getByRole('region', { name: 'Selected instances' });
const selectAll = () => page.getByRole('checkbox', { name: 'Select all that are shown' }).click();

test('an instance is restarted, suspended and resumed from the list', async () => {
  const pid = await server.postmaster(ids[0] ?? '');
  const restart = await start('orders', 'Restart');
  // The first field has the focus, although the form is loaded with the dialog open.
  await expect.poll(() => restart.getByLabel('Shutdown timeout').evaluate((field) => field === document.activeElement)).toBe(true);
  await restart.getByRole('button', { name: 'Restart' }).click();
  await restart.waitFor({ state: 'detached' });
  await expect.poll(() => server.postmaster(ids[0] ?? '').catch(() => pid), { timeout: 60_000 }).not.toBe(pid);
  await row('orders', 'Healthy').waitFor({ timeout: 60_000 });

  await (await start('orders', 'Suspend')).getByRole('button', { name: 'Suspend' }).click();
  await row('orders', 'Suspended').waitFor({ timeout: 60_000 });
  await (await start('orders', 'Resume')).getByRole('button', { name: 'Resume' }).click();
  await row('orders', 'Healthy').waitFor({ timeout: 60_000 });
});

test('labels are edited from the list', async () => {
  const dialog = await start('billing', 'Edit labels');
  await dialog.getByLabel('Value of label 1').fill('finance');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'team=finance' }).waitFor();
});

test('several are restarted, and what becomes of each is followed', async () => {
  const pids = await Promise.all(ids.map((id) => server.postmaster(id)));
  await selectAll();
  await bar().getByRole('button', { name: 'Restart' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('3 instances will be restarted').waitFor();
  await dialog.getByRole('button', { name: 'Restart' }).click();
  await dialog.getByText('3 of 3 done').waitFor({ timeout: 90_000 });
  for (const [index, id] of ids.entries()) expect(await server.postmaster(id)).not.toBe(pids[index]);
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await dialog.waitFor({ state: 'detached' });
  await expect.poll(() => bar().count(), { message: 'what is done is no longer selected' }).toBe(0);
  // The button that had the focus is gone.
  await expect.poll(() => page.evaluate(() => document.activeElement?.ariaLabel)).toBe('Select all that are shown');
  for (const name of ['orders', 'billing', 'sessions']) await row(name, 'Healthy').waitFor({ timeout: 60_000 });
});

test('labels of several are changed, also when one of them changes at the same time', async () => {
  await selectAll();
  await bar().getByRole('button', { name: 'Edit labels' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Key of label 1').fill('env');
  await dialog.getByLabel('Value of label 1').fill('live');
  await dialog.getByText('3 instances will be changed').waitFor();
  // After its labels were read, and before they are written.
  let done = false;
  await page.route('**/graphql', async (route) => {
    const body = route.request().postData() ?? '';
    if (!done && body.includes('updateInstance') && body.includes(ids[0] ?? '')) {
      done = true;
      await updateInstance(server.url, { id: ids[0] ?? '', labels: [{ key: 'owner', value: 'ann' }] });
    }
    await route.continue();
  });
  await dialog.getByRole('button', { name: 'Change' }).click();
  await dialog.getByText('3 of 3 done').waitFor();
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await page.getByLabel('Search by name').fill('owner=ann env=live');
  await page.getByText('1 of 3 instances').waitFor();
  await page.getByLabel('Search by name').fill('team=finance env=live');
  await page.getByText('1 of 3 instances').waitFor();
  await page.getByLabel('Clear the search').click();
});

test('several are deleted, but not what is protected', async () => {
  await updateInstance(server.url, { id: ids[1] ?? '', deletionProtected: true });
  await selectAll();
  await bar().getByRole('button', { name: 'Delete' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('2 instances will be deleted').waitFor();
  await dialog.getByRole('list', { name: 'Instances that will be left as they are' }).getByText('billing').waitFor();
  await dialog.getByLabel('Type "delete 2" to confirm').fill('delete 2');
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await dialog.getByText('2 of 2 done').waitFor({ timeout: 90_000 });
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await page.getByRole('main').getByText('1 instance, 1 selected').waitFor();
  await bar().getByText('1 selected', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Actions for billing' }).click();
  await expect.poll(() => page.getByRole('menuitem', { name: 'Delete (deletion protection is on)' }).isDisabled()).toBe(true);
  await page.keyboard.press('Escape');
  expect(watched.complaints).toEqual([]);
});
