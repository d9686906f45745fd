import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectAccessible, launch, open, section } from './browser';
import { startFakeServer } from './fake-server';

const INSTANCE = '00000000-0000-7000-8000-000000000001';

let server: Awaited<ReturnType<typeof startFakeServer>>;
let browser: Browser;
/** The instance that subscribers get next. */
let change: (part: object) => void;

beforeAll(async () => {
  let current: object = { id: INSTANCE, name: 'orders', state: 'RUNNING', health: 'HEALTHY', username: 'app', database: 'shop' };
  const waiting = new Set<() => void>();
  change = (part) => {
    current = { ...current, ...part };
    for (const wake of waiting) wake();
    waiting.clear();
  };
  async function* instance() {
    for (;;) {
      yield current;
      await new Promise<void>((resolve) => waiting.add(resolve));
    }
  }
  const fields = { controlPlane: { caller: { role: 'OPERATOR' } }, instance: () => current };
  [server, browser] = await Promise.all([startFakeServer(1, { fields, subscriptions: { instance, instanceBackups: { id: INSTANCE } } }), launch()]);
});

afterAll(async () => {
  await browser?.close();
  server?.stop();
});

const links = (page: Page) => page.getByRole('navigation', { name: 'Sections of orders' }).getByRole('link');
const current = async (page: Page) => (await page.locator('nav[aria-label^="Sections"] [aria-current="page"]').allInnerTexts()).join();

test.each([
  { scheme: 'light', width: 1280 },
  { scheme: 'dark', width: 390 },
] as const)('each section has a URL, and its panels are loaded when it is shown, $scheme at $width px', async (screen) => {
  const { page, complaints } = await open(browser, 'about:blank', screen);
  const scripts: string[] = [];
  page.on('request', (request) => scripts.push(request.url()));
  await page.goto(`${server.url}/instances/${INSTANCE}`);
  await page.getByRole('region', { name: 'Connect' }).waitFor();
  // None without a panel.
  const names = await links(page).allInnerTexts();
  expect(names).toEqual(['Overview', 'Backups', ...names.filter((name) => name === 'Logs' || name === 'Metrics'), 'Queries', 'Settings']);
  expect(await current(page)).toBe('Overview');
  expect(scripts.filter((url) => url.includes('settings-panel'))).toEqual([]);

  await section(page, 'Settings');
  await page.getByRole('region', { name: 'Configuration' }).waitFor();
  expect(scripts.filter((url) => url.includes('settings-panel'))).not.toEqual([]);
  expect(page.url()).toBe(`${server.url}/instances/${INSTANCE}?tab=settings`);
  expect(await page.title()).toBe('orders: Settings · Toygres');
  expect(await page.getByRole('region', { name: 'Connect' }).count()).toBe(0);
  await expectAccessible(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(screen.width);
  await page.reload();
  await page.getByRole('region', { name: 'Configuration' }).waitFor();
  await section(page, 'Backups');
  await page.getByRole('region', { name: 'Backups' }).waitFor();
  await expectAccessible(page);
  await page.goBack();
  await page.getByRole('region', { name: 'Configuration' }).waitFor();
  expect(await current(page)).toBe('Settings');

  await page.goto(`${server.url}/instances/${INSTANCE}?tab=nothing`);
  await page.getByRole('region', { name: 'Connect' }).waitFor();
  expect(await current(page)).toBe('Overview');
  expect(complaints).toEqual([]);
  await page.context().close();
});

test('the keyboard changes the section, and keeps its place', async () => {
  const { page } = await open(browser, `${server.url}/instances/${INSTANCE}`);
  await links(page).first().focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'Backups' }).waitFor();
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Backups');
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toMatch(/Logs|Metrics|Queries/);
  await page.context().close();
});

test('a section that waits for the server of the instance stays, and what goes on is shown there', async () => {
  const { page } = await open(browser, `${server.url}/instances/${INSTANCE}?tab=queries`);
  await page.getByRole('region', { name: 'Activity' }).waitFor();
  change({ state: 'UPDATING', operations: { nodes: [{ id: 'restart-1', kind: 'RESTART', status: 'RUNNING' }] } });
  await page.getByText('This is shown while the instance is running.').waitFor();
  await page.getByRole('region', { name: 'Latest operation' }).waitFor();
  expect(await current(page)).toBe('Queries');
  await expectAccessible(page);
  change({ state: 'RUNNING' });
  await page.getByRole('region', { name: 'Activity' }).waitFor();
  change({ state: 'DELETED' });
  await page.getByRole('region', { name: 'Connect' }).waitFor();
  expect(await links(page).allInnerTexts()).not.toContain('Queries');
  await page.context().close();
});
