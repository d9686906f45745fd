import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createInstance, deleteInstance } from './api';
import { expectAccessible, launch, open } from './browser';
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

test('an operation is cancelled and retried', async () => {
  await server.stop();
  // No workflow runs, so the operation stays pending until it is cancelled.
  await server.start('api');
  const id = await createInstance(server.url, 'orders');
  const { page, complaints } = await open(browser, `${server.url}/instances/${id}`);
  const operation = page.getByRole('region', { name: 'Latest operation' });
  await operation.getByText('Pending', { exact: true }).first().waitFor();
  await operation.getByRole('button', { name: 'Cancel' }).click();
  await expect.poll(() => operation.getByRole('button', { name: 'Cancelling…' }).isDisabled()).toBe(true);

  await server.stop();
  await server.start();
  await operation.getByText('Cancelled', { exact: true }).waitFor({ timeout: 60_000 });
  const status = page.getByRole('status', { name: 'Status' });
  await status.getByText('Failed', { exact: true }).waitFor();
  await expectAccessible(page);
  // The reason is said once, apart from the log of events.
  const reason = (await page.locator('.mantine-Alert-root[role=status]').first().innerText()).split('\n')[0] ?? '';
  expect(reason).not.toBe('');
  await expect.poll(() => operation.getByText(reason).count()).toBe(0);

  await operation.getByRole('button', { name: 'Retry' }).click();
  await status.getByText('Healthy', { exact: true }).waitFor({ timeout: 60_000 });
  await operation.getByText('Succeeded', { exact: true }).waitFor();
  expect(complaints).toEqual([]);
});

test('what the server would not cancel has no button', async () => {
  await server.stop();
  await server.start('api');
  const id = await createInstance(server.url, 'never-begun');
  await deleteInstance(server.url, id);
  const { page } = await open(browser, `${server.url}/operations/create-${id}-1`);
  const status = page.getByRole('status', { name: 'Status' });
  await status.getByText('Cancelled').waitFor();
  await expect.poll(() => page.getByRole('button', { name: 'Cancel' }).count()).toBe(0);
  await page.goto(`${server.url}/operations/delete-${id}-2`);
  await status.getByText('Pending').waitFor();
  await expect.poll(() => page.getByRole('button', { name: 'Cancel' }).count()).toBe(0);
  await page.context().close();
  await server.stop();
  await server.start();
});

test('the keyboard alone creates an instance and deletes it', async () => {
  const { page } = await open(browser, server.url);
  const keys = page.keyboard;
  await page.getByRole('row', { name: /orders/ }).waitFor();
  const to = async (name: string | RegExp) => {
    for (let presses = 0; presses < 60; presses++) {
      await keys.press('Tab');
      const focused = await page.evaluate(() => {
        const at = document.activeElement;
        return at?.ariaLabel ?? (at as HTMLInputElement | null)?.labels?.[0]?.textContent ?? at?.textContent ?? '';
      });
      if (typeof name === 'string' ? focused === name : name.test(focused)) return;
    }
    throw new Error(`The keyboard does not reach ${name}`);
  };

  await to('Create instance');
  await keys.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Create instance' });
  await dialog.waitFor();
  // The first field has the focus, and Enter submits the form.
  await expect.poll(() => dialog.getByLabel('Name').evaluate((field) => field === document.activeElement)).toBe(true);
  await keys.type('keys');
  await keys.press('Enter');
  await page.getByRole('heading', { name: 'keys', exact: true }).waitFor();
  await page.getByRole('status', { name: 'Status' }).getByText('Healthy').waitFor({ timeout: 60_000 });

  await to('Show the password');
  await keys.press('Enter');
  await page.getByRole('button', { name: 'Hide the password' }).waitFor();
  await to('Settings');
  await keys.press('Enter');
  await page.getByRole('region', { name: 'Deletion' }).waitFor();
  await to('Delete');
  await keys.press('Enter');
  await page.getByRole('dialog', { name: 'Delete keys?' }).waitFor();
  await expect.poll(() => page.getByLabel('Type "keys" to confirm').evaluate((field) => field === document.activeElement)).toBe(true);
  await keys.type('keys');
  await keys.press('Enter');
  await page.getByRole('status', { name: 'Status' }).getByText('Deleted').waitFor({ timeout: 60_000 });
});
