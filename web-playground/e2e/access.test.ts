import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createInstance } from './api';
import { expectAccessible, expectAccessibleInBothThemes, launch, open, screenshot, section } from './browser';
import { type Server, startServer } from './server';

let server: Server;
let browser: Browser;
let operator: string;
let viewer: Page;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer({ access: 'tokens' }), launch()]);
  operator = await server.token('operator');
});

afterAll(async () => {
  await browser?.close();
  await server?.clear();
});

async function enter(page: Page, token: string): Promise<void> {
  const dialog = page.getByRole('dialog', { name: 'Sign in with an API token' });
  await dialog.waitFor();
  await dialog.getByLabel('Token', { exact: true }).fill(token);
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('Live', { exact: true }).waitFor();
}

const buttons = (page: Page) => page.getByRole('main').getByRole('button').evaluateAll((all) => all.map((one) => one.ariaLabel ?? one.textContent));

test('the page asks for a token and saves it', async () => {
  ({ page: viewer } = await open(browser, server.url));
  await viewer.getByRole('dialog', { name: 'Sign in with an API token' }).waitFor();
  for (const colorScheme of ['light', 'dark'] as const) {
    await viewer.emulateMedia({ colorScheme });
    for (const [prefix, width, height] of [['phone-', 390, 844], ['', 1280, 860]] as const) {
      await viewer.setViewportSize({ width, height });
      await expectAccessible(viewer);
      await screenshot(viewer, `sign-in-${prefix}${colorScheme}`, false);
    }
  }
  await enter(viewer, await server.token('viewer'));
  await viewer.reload();
  await viewer.getByText('Live', { exact: true }).waitFor();
  await expect.poll(() => viewer.getByRole('dialog').isVisible()).toBe(false);
  await viewer.getByText('Read-only access', { exact: true }).waitFor();
});

test('why a token is refused is said where it is entered, and the way back is on the page', async () => {
  const { page } = await open(browser, server.url);
  const dialog = page.getByRole('dialog', { name: 'Sign in with an API token' });
  await dialog.getByText('toygres token create --local').waitFor();
  await dialog.getByLabel('Token', { exact: true }).fill('not-a-token');
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await dialog.getByText('The token is unknown').waitFor();
  await expect.poll(() => dialog.getByLabel('Token', { exact: true }).inputValue()).toBe('not-a-token');
  await expectAccessibleInBothThemes(page);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('alert').getByText('Nothing is loaded until you sign in').waitFor();
  await expectAccessibleInBothThemes(page);
  await page.getByRole('alert').getByRole('button', { name: 'Sign in' }).click();
  await enter(page, await server.token('operator'));
  // Drawn anew after the connection is there, so not necessarily before it says so.
  await page.getByRole('alert').waitFor({ state: 'detached' });

  await page.getByRole('button', { name: 'Account' }).click();
  const menu = page.getByRole('dialog', { name: 'Account' });
  await menu.getByText('Role: Operator').waitFor();
  // In 90 days, unless another time is asked for.
  const expires = Date.parse((await menu.locator('time').getAttribute('datetime')) ?? '');
  expect(Math.round((expires - Date.now()) / 86_400_000)).toBe(90);
  await expectAccessibleInBothThemes(page);
  await menu.getByRole('button', { name: 'Sign out' }).click();
  await dialog.waitFor();
  await page.context().close();
});

test('a viewer sees every page, but no secrets and no button that would be rejected', async () => {
  await viewer.getByText('No instances yet').waitFor();
  await expect.poll(() => buttons(viewer)).toEqual(['Show deleted instances']);

  const id = await createInstance(server.url, 'orders', [{ key: 'team', value: 'shop' }], operator);
  await viewer.getByRole('row', { name: /orders.*Healthy/ }).waitFor({ timeout: 60_000 });
  await expect.poll(() => viewer.getByRole('button', { name: 'Create instance' }).count()).toBe(0);

  const secrets: string[] = [];
  viewer.on('request', (request) => {
    if (request.postData()?.includes('connectionString')) secrets.push(request.postData() ?? '');
  });
  await viewer.getByRole('link', { name: 'orders' }).click();
  await viewer.getByText('The password is visible with the role').waitFor();
  await viewer.getByRole('button', { name: 'Show steps' }).waitFor();
  await expect.poll(() => viewer.getByTestId('connection-string').innerText()).toContain('•••');
  await expect.poll(async () => (await buttons(viewer)).filter((name) => !name?.startsWith('Copy'))).toEqual(['Show steps']);
  await expect.poll(() => viewer.getByRole('switch').count()).toBe(1); // Which events are shown.
  await expectAccessibleInBothThemes(viewer);
  const sections = viewer.getByRole('navigation', { name: 'Sections of orders' }).getByRole('link');
  await expect.poll(() => sections.allInnerTexts(), { message: 'none without a panel' }).toEqual(['Overview', 'Backups', 'Metrics', 'Settings']);
  await section(viewer, 'Settings');
  await viewer.getByText('Deletion protection is off.').waitFor();
  await expect.poll(() => buttons(viewer)).toEqual([]);
  await expect.poll(() => viewer.getByRole('switch').count()).toBe(0);
  await expectAccessibleInBothThemes(viewer);
  expect(secrets).toEqual([]);

  await viewer.getByRole('link', { name: 'Operations', exact: true }).click();
  await viewer.getByRole('row', { name: /Create.*orders/s }).getByRole('link', { name: 'Create' }).click();
  await viewer.getByText(`create-${id}-1`).waitFor();
  await expect.poll(() => viewer.getByRole('button', { name: /Cancel|Retry/ }).count()).toBe(0);
  await expect.poll(() => viewer.getByRole('link', { name: 'API tokens' }).count()).toBe(0);
  await viewer.goto(`${server.url}/tokens`);
  await viewer.getByText('API tokens are visible with the role Admin').waitFor();
});

test('on a phone, the access is said in full', async () => {
  const { page } = await open(browser, server.url, { width: 390, height: 844 });
  await enter(page, await server.token('viewer'));
  const badge = page.getByText('Read-only access', { exact: true });
  await badge.waitFor();
  const { shown, whole } = await badge.evaluate((label) => ({ shown: label.clientWidth, whole: label.scrollWidth }));
  expect(shown, 'its text is not cut').toBeGreaterThanOrEqual(whole);
  for (const element of [badge, page.getByRole('button', { name: 'More' })]) {
    const box = await element.boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? 0), 'it is within the screen').toBeLessThanOrEqual(390);
  }
  await page.context().close();
});

test.each(['has expired', 'was revoked'])('a saved token that %s is named as the reason where another one is entered', async (problem) => {
  const { page } = await open(browser, server.url);
  await enter(page, await server.token('viewer'));
  // As the server answers then; no token expires within a test.
  const message = `the token ${problem}`;
  await page.route('**/graphql', (route) => route.fulfill({ status: 401, contentType: 'application/graphql-response+json', body: JSON.stringify({ errors: [{ message, extensions: { code: 'UNAUTHENTICATED' } }] }) }));
  await page.getByRole('link', { name: 'Operations', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Sign in with an API token' });
  await dialog.getByText(`The token ${problem}`, { exact: true }).waitFor();
  // Also of the one that is entered.
  await dialog.getByLabel('Token', { exact: true }).fill('another');
  await dialog.getByText(`The token ${problem}`, { exact: true }).waitFor({ state: 'detached' });
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await dialog.getByText(`The token ${problem}`, { exact: true }).waitFor();
  await page.context().close();
});

test('the same page has more buttons for an operator', async () => {
  const { page } = await open(browser, server.url);
  await enter(page, operator);
  await page.getByRole('button', { name: 'Create instance' }).waitFor();
  await page.getByRole('link', { name: 'orders' }).click();
  await page.getByRole('button', { name: 'Show the password' }).click();
  await expect.poll(() => page.getByTestId('connection-string').innerText()).not.toContain('•••');
  await page.getByRole('button', { name: 'Restart' }).waitFor();
  await section(page, 'Settings');
  await page.getByRole('button', { name: 'Delete' }).waitFor();
  await expect.poll(() => page.getByRole('link', { name: 'API tokens' }).count()).toBe(0);
  await page.context().close();
});

test('an administrator creates a token, which is valid until it is revoked', async () => {
  const { page, complaints } = await open(browser, server.url);
  await enter(page, await server.token('admin'));
  // Requests without a token were rejected.
  complaints.length = 0;
  await page.getByRole('link', { name: 'API tokens' }).click();
  await page.getByRole('row', { name: /viewer.*Viewer.*Active/ }).first().waitFor();

  await page.getByRole('button', { name: 'Create token' }).click();
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.getByText('Must be 1 to 100 characters').waitFor();
  await page.getByLabel('Name').fill('dashboard');
  await page.getByLabel('Expires').fill('30');
  await expectAccessibleInBothThemes(page);
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  const secret = await page.getByTestId('secret').innerText();
  const creation = page.getByRole('dialog', { name: 'Create token' });
  for (const close of [() => page.keyboard.press('Escape'), () => creation.getByRole('button', { name: 'Close' }).click()]) {
    await close();
    await page.getByRole('dialog', { name: 'Close without copying?' }).getByRole('button', { name: 'Keep open' }).click();
    await page.getByRole('dialog', { name: 'Close without copying?' }).waitFor({ state: 'detached' });
  }
  await expectAccessibleInBothThemes(page);
  await page.getByRole('button', { name: 'Copy the secret' }).click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('row', { name: /dashboard.*Viewer.*Active/ }).waitFor();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const [prefix, width, height] of [['phone-', 390, 844], ['', 1280, 860]] as const) {
      await page.setViewportSize({ width, height });
      await expectAccessible(page);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      const last = await page.getByRole('button', { name: 'More' }).boundingBox();
      expect((last?.x ?? 0) + (last?.width ?? 0), 'the header has room for all of it').toBeLessThanOrEqual(width);
      await screenshot(page, `tokens-${prefix}${colorScheme}`, false);
    }
  }
  expect(await page.content()).not.toContain(secret);

  const { page: bearer } = await open(browser, server.url);
  await enter(bearer, secret);
  await bearer.getByRole('link', { name: 'orders' }).waitFor();

  await page.getByRole('button', { name: 'Revoke dashboard' }).click();
  await page.getByRole('dialog', { name: 'Revoke dashboard?' }).getByRole('button', { name: 'Revoke', exact: true }).click();
  await page.getByRole('row', { name: /dashboard/ }).waitFor({ state: 'detached' });
  await page.getByRole('switch', { name: 'Show inactive' }).click();
  await page.getByRole('row', { name: /dashboard.*Revoked/ }).waitFor();
  await bearer.getByRole('dialog', { name: 'Sign in with an API token' }).waitFor();
  await bearer.getByText('The token has expired or was revoked').waitFor();
  await bearer.getByText('No access', { exact: true }).waitFor();

  // One's own.
  await page.getByRole('button', { name: 'Revoke admin' }).click();
  const own = page.getByRole('dialog', { name: 'Revoke admin?' });
  await own.getByText('You are signed in with this token').waitFor();
  await expectAccessibleInBothThemes(page);
  await own.getByRole('button', { name: 'Cancel' }).click();
  expect(complaints).toEqual([]);
});
