import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectAccessibleInBothThemes, launch, open } from './browser';
import { startFakeServer } from './fake-server';

let server: Awaited<ReturnType<typeof startFakeServer>>;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startFakeServer(200), launch()]);
});

afterAll(async () => {
  await browser?.close();
  server?.stop();
});

test.each([
  { scheme: 'light', width: 1280 },
  { scheme: 'dark', width: 390 },
] as const)('the keyboard goes anywhere, $scheme at $width px', async ({ scheme, width }) => {
  const { page } = await open(browser, server.url, { scheme, width });
  await page.getByText('200 instances').waitFor();
  const palette = page.getByRole('dialog', { name: 'Go to' });
  const field = palette.getByRole('combobox');
  const openPalette = async () => {
    await page.keyboard.press('Control+k');
    await expect.poll(() => field.evaluate((element) => element === document.activeElement)).toBe(true);
  };
  await openPalette();
  await expectAccessibleInBothThemes(page);
  await page.keyboard.type('instance-0');
  const options = palette.getByRole('option');
  await expect.poll(() => options.count()).toBe(8);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  const chosen = palette.getByRole('option', { selected: true });
  const name = await chosen.locator('span').first().innerText();
  expect(name).toBe('instance-0001');
  await expect.poll(() => field.getAttribute('aria-activedescendant')).toBe(await chosen.getAttribute('id'));
  await page.keyboard.press('Enter');
  await page.waitForURL('**/instances/*0001');
  await palette.waitFor({ state: 'detached' });

  // Also from a field.
  await openPalette();
  await page.keyboard.type('nothing like this');
  await palette.getByText('Nothing found').waitFor();
  await expectAccessibleInBothThemes(page);
  await page.keyboard.press('Escape');
  await palette.waitFor({ state: 'detached' });
  await openPalette();
  await page.keyboard.type('instances');
  await page.keyboard.press('Enter');
  await page.waitForURL(`${server.url}/`);

  await page.keyboard.press('/');
  await page.keyboard.type('team=shop');
  await page.getByText('67 of 200 instances').waitFor();
  await page.context().close();
});

test('times have a zone, which can be UTC', async () => {
  const { page } = await open(browser, server.url, { timezone: 'Asia/Tokyo' });
  const time = page.locator('tbody time').first();
  await time.waitFor();
  await expect.poll(() => time.getAttribute('title')).toMatch(/\d\d:\d\d:\d\d (GMT\+9|JST)$/);
  const menu = page.getByRole('button', { name: 'More' });
  await menu.click();
  await page.getByRole('menuitem', { name: 'Show times in UTC' }).click();
  await expect.poll(() => time.getAttribute('title')).toMatch(/ UTC$/);
  await page.reload();
  await time.waitFor();
  await expect.poll(() => time.getAttribute('title')).toMatch(/ UTC$/);
  await menu.click();
  await page.getByRole('menuitem', { name: 'Show times in Asia/Tokyo' }).click();
  await expect.poll(() => time.getAttribute('title')).toMatch(/(GMT\+9|JST)$/);
  await page.context().close();
});
