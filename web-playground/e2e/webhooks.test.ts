import { createServer, type Server as Receiver } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createInstance } from './api';
import { expectAccessible, expectAccessibleInBothThemes, launch, open, screenshot } from './browser';
import { type Server, startServer } from './server';

let server: Server;
let browser: Browser;
let receiver: Receiver;
let hook: string;
let answer = 204;
const received: { type: string }[] = [];

beforeAll(async () => {
  // Receivers of tests are on this machine.
  process.env.TOYGRES_WEBHOOK_ALLOWED_NETWORKS = '127.0.0.0/8';
  process.env.TOYGRES_WEBHOOK_ALLOW_HTTP = 'true';
  [server, browser] = await Promise.all([startServer(), launch()]);
  receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      received.push(JSON.parse(body) as { type: string });
      response.writeHead(answer).end(answer === 204 ? undefined : 'no room');
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  hook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hooks`;
});

afterAll(async () => {
  receiver?.close();
  await browser?.close();
  await server?.clear();
});

const row = (page: Page) => page.getByRole('row', { name: /hooks/ });

async function more(page: Page, item: string): Promise<void> {
  await page.getByRole('button', { name: `More about ${hook}` }).click();
  await page.getByRole('menuitem', { name: item }).click();
}

test('a webhook is created, tested, fails, is disabled, enabled and deleted', async () => {
  const { page, complaints } = await open(browser, server.url);
  await page.getByRole('link', { name: 'Webhooks' }).click();
  await page.getByText('No webhooks').waitFor();
  await expectAccessibleInBothThemes(page);

  await page.getByRole('button', { name: 'Create webhook' }).click();
  const dialog = page.getByRole('dialog', { name: 'Create webhook' });
  await dialog.getByLabel('URL').fill('http://10.0.0.1/hooks');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.getByText('TOYGRES_WEBHOOK_ALLOWED_NETWORKS').waitFor();
  await expectAccessibleInBothThemes(page);
  await dialog.getByLabel('URL').fill(hook);
  await dialog.getByLabel('Description').fill('on call');
  await dialog.getByRole('button', { name: 'Create' }).click();
  const secret = dialog.getByTestId('secret');
  await secret.waitFor();
  expect(await secret.innerText()).toMatch(/^whsec_/);
  await expectAccessibleInBothThemes(page);
  await screenshot(page, 'webhook-secret', false);
  // The secret is not lost by accident.
  await page.keyboard.press('Escape');
  const question = page.getByRole('dialog', { name: 'Close without copying?' });
  await question.getByRole('button', { name: 'Keep open' }).click();
  await question.waitFor({ state: 'detached' });
  await dialog.getByRole('button', { name: 'Copy the secret' }).click();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await dialog.waitFor({ state: 'detached' });
  await row(page).getByText('Enabled', { exact: true }).waitFor();

  await page.getByRole('button', { name: `Test ${hook}` }).click();
  const testing = page.getByRole('dialog', { name: 'Test message' });
  await testing.getByText('Delivered: status 204').waitFor();
  expect(received.at(-1)?.type).toBe('webhook.test');
  await expectAccessibleInBothThemes(page);
  answer = 503;
  await testing.getByRole('button', { name: 'Send again' }).click();
  await testing.getByRole('alert').getByText('the receiver answered 503').waitFor();
  await testing.getByText('no room').waitFor();
  await testing.getByRole('button', { name: 'Done' }).click();

  // What happens meanwhile is shown without a reload.
  await createInstance(server.url, 'orders', []);
  await row(page).getByText('Failing', { exact: true }).waitFor();
  await row(page).getByText('the receiver answered 503').waitFor();
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    await screenshot(page, `webhooks-${colorScheme}`, false);
  }
  await expectAccessibleInBothThemes(page);
  answer = 204;
  await row(page).getByText('Enabled', { exact: true }).waitFor({ timeout: 60_000 });
  await expect.poll(() => received.some(({ type }) => type === 'instance.created')).toBe(true);

  await more(page, 'Edit');
  const editing = page.getByRole('dialog', { name: 'Edit webhook' });
  await expectAccessibleInBothThemes(page);
  await editing.getByLabel('Description').fill('nobody');
  await editing.getByRole('button', { name: 'Save' }).click();
  await editing.waitFor({ state: 'detached' });
  await row(page).getByText('nobody').waitFor();

  await more(page, 'Replace the secret');
  const rotating = page.getByRole('dialog', { name: 'Replace the secret' });
  await rotating.getByRole('button', { name: 'Replace', exact: true }).click();
  await rotating.getByTestId('secret').waitFor();
  await expectAccessibleInBothThemes(page);
  await rotating.getByRole('button', { name: 'Copy the secret' }).click();
  await rotating.getByRole('button', { name: 'Done' }).click();

  await more(page, 'Disable');
  await row(page).getByText('Disabled', { exact: true }).waitFor();
  await page.getByRole('button', { name: `Enable ${hook}` }).click();
  await row(page).getByText('Enabled', { exact: true }).waitFor();

  answer = 410;
  await createInstance(server.url, 'billing', []);
  await row(page).getByText('410 Gone').waitFor();
  await expectAccessibleInBothThemes(page);
  // Every page says so, also on a phone, where the link is in the menu.
  await page.getByRole('link', { name: 'Operations' }).click();
  await page.getByRole('link', { name: 'Webhooks 1 disabled' }).waitFor();
  await expectAccessibleInBothThemes(page);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole('button', { name: 'More, something needs attention' }).click();
  await page.getByRole('menuitem', { name: 'Webhooks 1 disabled' }).waitFor();
  await expectAccessibleInBothThemes(page);
  await page.getByRole('menuitem', { name: 'Webhooks 1 disabled' }).click();
  await page.setViewportSize({ width: 1280, height: 860 });

  await more(page, 'Delete');
  const deleting = page.getByRole('dialog', { name: 'Delete webhook?' });
  await deleting.getByText('Nothing more is sent').waitFor();
  await expectAccessibleInBothThemes(page);
  await deleting.getByRole('button', { name: 'Delete' }).click();
  await page.getByText('No webhooks').waitFor();
  await expect.poll(() => page.getByText(/\d disabled/).count()).toBe(0);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test.each(['light', 'dark'] as const)('the page on a phone, %s', async (scheme) => {
  const { page, complaints } = await open(browser, `${server.url}/webhooks`, { scheme, width: 390, height: 844 });
  await page.getByText('No webhooks').waitFor();
  await expectAccessible(page);
  await screenshot(page, `webhooks-phone-${scheme}`, false);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(width).toBeLessThanOrEqual(390);
  expect(complaints).toEqual([]);
  await page.context().close();
});
