import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { expectAccessible, expectAccessibleInBothThemes, launch, open, screenshot } from './browser';
import { startFakeServer } from './fake-server';

let server: Awaited<ReturnType<typeof startFakeServer>>;
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  server = await startFakeServer(200);
});
afterEach(() => server.stop());

const SCREENS = [
  { scheme: 'light', width: 1440, height: 900 },
  { scheme: 'dark', width: 390, height: 844 },
] as const;

test.each(SCREENS)('counts by status are filters, $scheme at $width px', async (screen) => {
  const { page, complaints } = await open(browser, server.url, screen);
  await page.getByText('200 instances').waitFor();
  server.change(500);
  const failed = page.getByRole('group', { name: 'Status' }).getByRole('button', { name: /^Failed \d+/ });
  await failed.waitFor();
  server.change(0);
  await failed.click();
  await expect.poll(() => page.url()).toContain('?status=failed');
  await expect.poll(() => failed.getAttribute('aria-pressed')).toBe('true');
  const count = /\d+/.exec(await failed.innerText())?.[0];
  await page.getByText(`${count} of 200 instances`).waitFor();
  // One status: no row is called running as well as failed.
  const statuses = await page.locator('tbody tr[aria-rowindex] td:nth-child(2)').allInnerTexts();
  expect(new Set(statuses)).toEqual(new Set(['Failed']));
  await expectAccessible(page);
  await failed.press('Enter');
  await page.getByText('200 instances', { exact: true }).waitFor();
  expect(complaints.filter((complaint) => !complaint.includes('graphql'))).toEqual([]);
  await page.context().close();
});

test.each(SCREENS)('the badge of a row says what is done with its instance, $scheme at $width px', async (screen) => {
  server.stop();
  const during = (kind: string, state = 'UPDATING') => ({ state, health: 'HEALTHY', currentOperation: { kind } });
  const clone = { ...during('RESTORE', 'CREATING'), currentOperation: { kind: 'RESTORE', restoration: { clones: true } } };
  server = await startFakeServer(7, { instances: [clone, during('RESTART'), during('UPGRADE'), during('SET_PARAMETERS'), during('CREATE', 'CREATING'), during('DELETE', 'DELETING')] });
  const { page, complaints } = await open(browser, server.url, screen);
  await page.getByText('7 instances').waitFor();
  const statuses = page.locator('tbody tr[aria-rowindex] td:nth-child(2)');
  expect((await statuses.allInnerTexts()).toSorted()).toEqual(['Cloning', 'Creating', 'Deleting', 'Healthy', 'Restarting', 'Setting parameters', 'Upgrading']);
  await expect.poll(() => page.getByText('Upgrading', { exact: true }).getAttribute('title')).toBe('State: updating; operation: upgrade');
  // It is still counted as what it is.
  await page.getByRole('group', { name: 'Status' }).getByRole('button', { name: 'Updating 3' }).click();
  await page.getByText('3 of 7 instances').waitFor();
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(width).toBeLessThanOrEqual(screen.width);
  await expectAccessible(page);
  await screenshot(page, `instances-busy-${screen.scheme}`, false);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test('the order is in the URL, and its arrow points in the direction of the order', async () => {
  const { page } = await open(browser, server.url);
  const heading = page.getByRole('columnheader', { name: 'Name' });
  const first = () => page.locator('tbody a').first().innerText();
  await heading.getByRole('button').click();
  await expect.poll(() => heading.getAttribute('aria-sort')).toBe('ascending');
  await expect.poll(() => heading.locator('svg').getAttribute('class')).toContain('lucide-arrow-up');
  await expect.poll(() => first()).toBe('instance-0000');
  await heading.getByRole('button').click();
  await expect.poll(first).toBe('instance-0199');
  await expect.poll(() => heading.locator('svg').getAttribute('class')).toContain('lucide-arrow-down');
  await expect.poll(() => page.url()).toContain('?sort=-name');
  await page.reload();
  await expect.poll(first).toBe('instance-0199');
  await page.locator('tbody a').first().click();
  await page.waitForURL('**/instances/*');
  await page.goBack();
  await expect.poll(first).toBe('instance-0199');
  await page.context().close();
});

test('an endpoint can be selected, and keeps its port on a narrow screen', async () => {
  const { page } = await open(browser, server.url, { width: 1100, height: 800 });
  const endpoint = page.locator('tbody tr[aria-rowindex] code').first();
  await endpoint.waitFor();
  // What a long host leaves of it.
  await endpoint.locator('span').evaluate((host) => (host.textContent = 'orders.databases.svc.cluster.example.internal.test'));
  const { port, cell } = await endpoint.evaluate((code) => {
    const range = document.createRange();
    range.selectNodeContents(code.lastChild ?? code);
    return { port: range.getBoundingClientRect(), cell: code.closest('td')?.getBoundingClientRect() };
  });
  expect(port.right, 'all of the port is shown').toBeLessThanOrEqual(cell?.right ?? 0);
  await expect.poll(() => endpoint.innerText()).toMatch(/:\d+$/);
  await endpoint.click();
  await expect.poll(() => page.evaluate(() => getSelection()?.toString())).toMatch(/^orders\.databases\S+:\d+$/);
  expect(page.url(), 'it is no link').toBe(`${server.url}/`);
  await page.context().close();
});

test('a label filters the list', async () => {
  const { page } = await open(browser, server.url);
  await page.getByRole('button', { name: 'team=finance' }).first().click();
  await page.getByText('67 of 200 instances').waitFor();
  await expect.poll(() => page.getByLabel('Search by name').inputValue()).toBe('team=finance');
  await page.context().close();
});

test('while the connection is lost, the rows are grey, and nothing moves', async () => {
  const { page } = await open(browser, server.url);
  const table = page.getByRole('table', { name: 'Instances' });
  const link = page.getByRole('link', { name: 'instance-0000' });
  const before = await link.boundingBox();
  server.stop();
  await page.getByText('Reconnecting').waitFor();
  await expect.poll(() => table.getAttribute('data-stale')).toBe('true');
  expect(await link.boundingBox()).toEqual(before);
  await expectAccessibleInBothThemes(page);
  await page.context().close();
});

test('every column of a phone shows what it should, with more rows than fit', async () => {
  const { page } = await open(browser, server.url, { width: 390, height: 844 });
  const row = page.locator('tbody tr[aria-rowindex]').first();
  await row.waitFor();
  const status = await row.locator('td:nth-child(2)').boundingBox();
  expect((status?.x ?? 0) + (status?.width ?? 0), 'the columns fill the table').toBeGreaterThan(360);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  await page.context().close();
});

test('a page that could not be loaded is loaded by a button, or as soon as the server is back', async () => {
  const { page } = await open(browser, server.url);
  await page.getByText('200 instances').waitFor();
  const heading = page.getByRole('heading', { name: 'Operations' });
  const chunk = '**/assets/*list-page-*';
  await page.route(chunk, (route) => route.abort());
  await page.getByRole('link', { name: 'Operations' }).click();
  const alert = page.getByRole('alert');
  await alert.getByText("Can't load this part of the page").waitFor();
  await expectAccessibleInBothThemes(page);
  await page.unroute(chunk);
  await alert.getByRole('button', { name: 'Retry' }).click();
  await heading.waitFor();

  await page.goto(server.url);
  await page.getByText('200 instances').waitFor();
  // Another failure than the one that has just been dealt with.
  await page.evaluate(() => localStorage.removeItem('toygres.reloaded'));
  let reloaded = false;
  page.once('load', () => (reloaded = true));
  await page.route(chunk, (route) => (reloaded ? route.continue() : route.abort()));
  await page.getByRole('link', { name: 'Operations' }).click();
  await heading.waitFor();
  await page.context().close();
});
