import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createInstance } from './api';
import { execute, expectAccessible, launch, open, screenshot, section, shown } from './browser';
import { type Server, startServer } from './server';

let server: Server;
let browser: Browser;
let orders: string;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.clear();
});

const pages = describe.each([{ scheme: 'light' as const }, { scheme: 'dark' as const }]);

const SCREENS = [
  { name: 'wide', width: 1280, height: 900 },
  { name: 'phone', width: 390, height: 844 },
];

pages('without instances, $scheme', ({ scheme }) => {
  test.each(SCREENS)('the empty list, $name', async ({ name, ...size }) => {
    const { page, complaints } = await open(browser, server.url, { scheme, ...size });
    await page.getByText('Create your first instance').waitFor();
    await check(page, `empty-${name === 'wide' ? scheme : `${name}-${scheme}`}`);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});

test('some instances, one of which was unhealthy once', async () => {
  orders = await createInstance(server.url, 'orders', [{ key: 'team', value: 'shop' }]);
  await createInstance(server.url, 'billing', [{ key: 'team', value: 'finance' }]);
  await createInstance(server.url, 'sessions', [{ key: 'team', value: 'shop' }]);
  const { page } = await open(browser, `${server.url}/instances/${orders}`);
  await page.getByText('Healthy', { exact: true }).waitFor({ timeout: 60_000 });
  const checked = page.getByRole('region', { name: 'Health', exact: true }).getByText(/^\d+ of \d+$/);
  const atLeast = async (least: number) => expect.poll(async () => Number((await checked.innerText()).split(' of ')[1]), { timeout: 60_000 }).toBeGreaterThan(least);
  await atLeast(6);
  process.kill(await server.postmaster(orders), 'SIGKILL');
  await page.getByText('Health: unhealthy → healthy').waitFor({ timeout: 60_000 });
  await atLeast(14);
  await page.context().close();
});

pages('with instances, $scheme', ({ scheme }) => {
  test.each(SCREENS)('every page, $name', async ({ name, width, height }) => {
    const { page, complaints } = await open(browser, server.url, { scheme, width, height });
    const suffix = name === 'wide' ? scheme : `${name}-${scheme}`;
    await page.getByRole('row', { name: /sessions/ }).waitFor();
    await check(page, `instances-${suffix}`);

    await page.getByRole('button', { name: 'Create instance' }).click();
    await page.getByRole('dialog', { name: 'Create instance' }).waitFor();
    await page.getByRole('button', { name: 'Advanced settings' }).click();
    await page.getByRole('button', { name: 'Add label' }).click();
    await check(page, `create-${suffix}`);
    await page.keyboard.press('Escape');

    await page.goto(`${server.url}/instances/${orders}`);
    await page.getByText('checked', { exact: false }).first().waitFor();
    await page.locator('.uplot').waitFor();
    await check(page, `instance-${suffix}`, name === 'phone');
    await section(page, 'Backups');
    await page.getByText('Nothing protects this instance').waitFor();
    await check(page, `instance-backups-${suffix}`);
    await section(page, 'Logs');
    await page.getByRole('region', { name: 'Log', exact: true }).getByText(/^[\d,]+ entr(y|ies)$/).waitFor();
    await check(page, `instance-logs-${suffix}`);
    await section(page, 'Queries');
    await page.getByText(/No client is connected|\d sessions?$/).first().waitFor();
    await check(page, `instance-queries-${suffix}`);
    await section(page, 'Settings');
    await page.getByRole('region', { name: 'Deletion' }).waitFor();
    await check(page, `instance-settings-${suffix}`);
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByLabel('Type "orders" to confirm').waitFor();
    await check(page);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Restart' }).click();
    await page.getByLabel('Shutdown timeout').waitFor();
    await check(page);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });

    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Operations' }).click();
    await page.getByRole('row', { name: /Create.*orders/s }).waitFor();
    await check(page, `operations-${suffix}`);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await page.getByRole('row', { name: /Create.*orders/s }).getByRole('link', { name: 'Create' }).click();
    await page.getByText('Deploy PostgreSQL').waitFor();
    await check(page, `operation-${suffix}`);

    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test.each(SCREENS)('the documentation, menus, and what there is not, $name', async ({ name, width, height }) => {
    const { page, complaints } = await open(browser, server.url, { scheme, width, height });
    const suffix = name === 'wide' ? scheme : `${name}-${scheme}`;
    await page.getByRole('row', { name: /sessions/ }).waitFor();
    for (const [button, item] of [['Theme', 'System'], ['More', 'Command line']] as const) {
      await page.getByRole('button', { name: button }).click();
      await page.getByRole('menuitem', { name: item }).waitFor();
      await check(page);
      await page.keyboard.press('Escape');
      await page.getByRole('menu').waitFor({ state: 'detached' });
    }
    await page.getByRole('button', { name: 'Connection: Live' }).click();
    await page.getByText('Changes appear as they happen.').waitFor();
    await check(page);
    await page.keyboard.press('Escape');

    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Command line' }).click();
    const heading = page.getByRole('heading', { name: 'A first instance' });
    await heading.waitFor();
    // In view, and below the header.
    await expect.poll(async () => (await heading.boundingBox())?.y ?? -1).toBeGreaterThan(50);
    await expect.poll(async () => (await heading.boundingBox())?.y ?? height).toBeLessThan(height / 2);
    await page.getByText(`export TOYGRES_URL=${server.url}`).waitFor();
    await page.getByRole('navigation', { name: 'Documents' }).getByRole('link', { name: 'Operations' }).click();
    await page.getByRole('heading', { name: 'Where to look first' }).waitFor();
    await expect.poll(() => page.title()).toBe('Operations: Documentation · Toygres');
    await check(page, `docs-${suffix}`);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    // A link to a part of another document.
    await page.getByRole('article').getByRole('link', { name: /^what runs in an instance$/ }).first().click();
    await page.waitForURL('**/docs/operations#what-runs-in-an-instance');

    await page.goto(`${server.url}/docs/nothing`);
    await page.getByRole('heading', { name: 'Document not found' }).waitFor();
    await page.goto(`${server.url}/instances/00000000-0000-7000-8000-000000000000`);
    await page.getByRole('heading', { name: 'Instance not found' }).waitFor();
    await page.goto(`${server.url}/operations/nothing`);
    await page.getByRole('heading', { name: 'Operation not found' }).waitFor();
    await page.goto(`${server.url}/nothing`);
    await page.getByRole('heading', { name: 'Page not found' }).waitFor();
    await check(page, `not-found-${suffix}`);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test.each(SCREENS)('GraphiQL, $name', async ({ name, ...size }) => {
    const { page, complaints } = await open(browser, `${server.url}/graphiql`, { scheme, ...size });
    await shown(page, 'instances');
    await execute(page);
    await expect.poll(() => page.locator('.result-window').innerText(), { timeout: 30_000 }).toContain('orders');
    // Its own: buttons within its tabs, and the colours of the code in Monaco.
    await check(page, `graphiql-${name === 'wide' ? scheme : `${name}-${scheme}`}`, false, ['.graphiql-tabs', '.view-lines']);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});

test('the keyboard reaches everything', async () => {
  const { page } = await open(browser, server.url);
  await page.getByRole('link', { name: 'orders' }).waitFor();
  await page.keyboard.press('Tab');
  await expect.poll(() => focused(page)).toBe('Skip to content');
  const seen: string[] = [];
  for (let presses = 0; presses < 30; presses++) {
    await page.keyboard.press('Tab');
    seen.push(await focused(page));
  }
  expect(seen).toEqual(expect.arrayContaining(['Toygres', 'Operations', 'Connection: Live', 'Theme', 'Create instance', 'Name', 'orders']));
  await page.getByRole('link', { name: 'orders' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'orders' }).waitFor();
  await page.context().close();
});

async function check(page: Page, name?: string, fullPage = false, exclude: string[] = []): Promise<void> {
  await expectAccessible(page, exclude);
  if (name) await screenshot(page, name, fullPage);
}

function focused(page: Page): Promise<string> {
  return page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '');
}
