import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectAccessible, expectAccessibleInBothThemes, launch, open, section } from './browser';
import { startFakeServer } from './fake-server';

const INSTANCE = '00000000-0000-7000-8000-000000000001';
const OPERATION = `create-${INSTANCE}-1`;
/** As long as a name can be, without a place to break it at. */
const LONG = 'n'.repeat(63);

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
  const operation = () => ({ id: OPERATION, kind: 'CREATE', status: 'FAILED', instance: current, requestedBy: LONG, error: { message: LONG } });
  const fields = { controlPlane: { caller: { role: 'OPERATOR' } }, instance: () => current, operations: () => ({ nodes: [operation()], totalCount: 1 }) };
  async function* one() {
    yield operation();
  }
  const subscriptions = { instance, operation: one, instanceBackups: { id: INSTANCE } };
  [server, browser] = await Promise.all([startFakeServer(1, { fields, subscriptions }), launch()]);
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
  await expect.poll(() => current(page)).toBe('Overview');
  expect(scripts.filter((url) => url.includes('settings-panel'))).toEqual([]);

  await section(page, 'Settings');
  await page.getByRole('region', { name: 'Configuration' }).waitFor();
  expect(scripts.filter((url) => url.includes('settings-panel'))).not.toEqual([]);
  await expect.poll(() => page.url()).toBe(`${server.url}/instances/${INSTANCE}?tab=settings`);
  await expect.poll(() => page.title()).toBe('orders: Settings · Toygres');
  await expect.poll(() => page.getByRole('region', { name: 'Connect' }).count()).toBe(0);
  await expectAccessible(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(screen.width);
  await page.reload();
  await page.getByRole('region', { name: 'Configuration' }).waitFor();
  await section(page, 'Backups');
  await page.getByRole('region', { name: 'Backups' }).waitFor();
  await expectAccessible(page);
  await page.goBack();
  await page.getByRole('region', { name: 'Configuration' }).waitFor();
  await expect.poll(() => current(page)).toBe('Settings');

  await page.goto(`${server.url}/instances/${INSTANCE}?tab=nothing`);
  await page.getByRole('region', { name: 'Connect' }).waitFor();
  await expect.poll(() => current(page)).toBe('Overview');
  expect(complaints).toEqual([]);
  await page.context().close();
});

test.each([390, 360])('the longest names fit on a screen of %i px', async (width) => {
  change({
    name: LONG,
    username: LONG,
    database: LONG,
    endpoint: { host: `${LONG}.${LONG}.svc.cluster.local`, port: 54321 },
    labels: [{ key: LONG, value: LONG }],
    reason: { code: 'CONNECTION_TIMEOUT', message: LONG.repeat(2) },
    parameters: [{ name: 'search_path', value: LONG, pendingRestart: false }],
    databases: { nodes: [{ id: 'database-1', name: LONG, owner: LONG }, { id: 'database-2', name: `${LONG}2`, owner: LONG }] },
    databaseUsers: { nodes: [{ id: 'user-1', name: LONG, access: 'OWNER', database: LONG }, { id: 'user-2', name: `${LONG}2`, access: 'READ_ONLY', database: LONG }] },
    availableOperations: ['CREATE_DATABASE', 'CREATE_DATABASE_USER', 'DELETE'],
    operations: { nodes: [{ id: OPERATION, kind: 'CREATE', status: 'FAILED' }] },
  });
  const { page, complaints } = await open(browser, 'about:blank', { width, height: 844 });
  const pages = [`/instances/${INSTANCE}`, ...['backups', 'logs', 'queries', 'settings'].map((tab) => `/instances/${INSTANCE}?tab=${tab}`), '/operations', `/operations/${OPERATION}`, `/?q=${LONG}`];
  for (const path of pages) {
    await page.goto(`${server.url}${path}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForLoadState('networkidle');
    expect.soft(await page.evaluate(beyond), path).toEqual([]);
  }
  await page.goto(`${server.url}/instances/${INSTANCE}`);
  for (const name of ['Edit labels', 'Edit name and network access', 'New user', 'Delete']) {
    if (name === 'Delete') await section(page, 'Settings');
    await page.getByRole('button', { name, exact: true }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    expect.soft(await page.evaluate(beyond), name).toEqual([]);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  }
  expect(complaints).toEqual([]);
  await page.context().close();
  change({ name: 'orders', reason: null, username: 'app', database: 'shop', endpoint: null, labels: [], parameters: [], databases: { nodes: [] }, databaseUsers: { nodes: [] }, operations: { nodes: [] } });
});

test('a notice says what to do, and the events when it came and went', async () => {
  const notice = { code: 'STORAGE_FILLING', message: 'the data grows so fast that the volume, which has 10 GiB, is full within a day: resize the instance', since: new Date().toISOString() };
  const event = (cursor: string, raised: boolean) => ({ cursor, type: 'INSTANCE_UPDATED', at: new Date().toISOString(), notices: [{ raised, notice }] });
  change({ notices: [notice], events: { nodes: [event('1', true), event('2', false), event('3', true)] } });
  const { page, complaints } = await open(browser, `${server.url}/instances/${INSTANCE}`);
  await page.getByRole('main').getByRole('status').getByText('The data grows so fast').waitFor();
  const events = page.getByRole('region', { name: 'Events' });
  await events.getByText('Notice raised: storage filling').first().waitFor();
  const lines = (await events.getByRole('listitem').allInnerTexts()).map((line) => line.replaceAll(/\s+/g, ' '));
  expect(lines.map((line) => [/raised|cleared/.exec(line)?.[0], line.includes('resize the instance')])).toEqual([
    ['raised', true],
    ['cleared', false],
    ['raised', true],
  ]);
  await expectAccessibleInBothThemes(page);
  expect(complaints).toEqual([]);
  await page.context().close();
  change({ notices: [], events: { nodes: [] } });
});

test('the keyboard changes the section, and keeps its place', async () => {
  const { page } = await open(browser, `${server.url}/instances/${INSTANCE}`);
  await links(page).first().focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'Backups' }).waitFor();
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe('Backups');
  await page.keyboard.press('Tab');
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toMatch(/Logs|Metrics|Queries/);
  await page.context().close();
});

test('a section that waits for the server of the instance stays, and what goes on is shown there', async () => {
  const { page } = await open(browser, `${server.url}/instances/${INSTANCE}?tab=queries`);
  await page.getByRole('region', { name: 'Activity' }).waitFor();
  change({ state: 'UPDATING', operations: { nodes: [{ id: 'restart-1', kind: 'RESTART', status: 'RUNNING' }] } });
  await page.getByText('This is shown while the instance is running.').waitFor();
  await page.getByRole('region', { name: 'Latest operation' }).waitFor();
  await expect.poll(() => current(page)).toBe('Queries');
  await expectAccessible(page);
  change({ state: 'RUNNING' });
  await page.getByRole('region', { name: 'Activity' }).waitFor();
  change({ state: 'DELETED' });
  await page.getByRole('region', { name: 'Connect' }).waitFor();
  await expect.poll(() => links(page).allInnerTexts()).not.toContain('Queries');
  await page.context().close();
});

/** Runs in the page: the texts that reach beyond the screen and cannot be scrolled to on their own. */
function beyond(): string[] {
  const width = document.documentElement.clientWidth;
  const found = [...document.querySelectorAll('*')].filter((element) => {
    if (element.getBoundingClientRect().right <= width + 1 || !element.textContent) return false;
    for (let parent: Element | null = element.parentElement; parent; parent = parent.parentElement) {
      const { overflowX } = getComputedStyle(parent);
      if (overflowX !== 'visible' && !parent.matches('[role=dialog], .mantine-Modal-inner') && parent !== document.body) return false;
    }
    return true;
  });
  return found.map((element) => `${element.tagName} ${element.className}: ${element.textContent.slice(0, 40)}`).slice(0, 5);
}
