import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { expectAccessible, expectAccessibleInBothThemes, launch, open, screenshot } from './browser';
import { instance, startFakeServer } from './fake-server';

let server: Awaited<ReturnType<typeof startFakeServer>>;
let browser: Browser;
let role: string;
/** What was sent, by the name of the mutation. */
let sent: [string, { id: string; idempotencyKey?: string; labels?: object[] }][];
/** The instances whose restart is refused. */
let refused: Set<string>;
let labels: Map<string, object[]>;
let events: { push: (operation: object) => void; all: () => AsyncIterable<unknown> };

const range = (min: number, max: number) => ({ min, max, default: null });
const indexOf = (id: string) => Number(id.slice(-12));

/** Every fifth is protected, and every seventh is suspended. */
function target({ id }: { id: string }) {
  const index = indexOf(id);
  const [deletionProtected, suspended] = [index % 5 === 0, index % 7 === 0];
  const changes = suspended ? ['RESUME', 'UPGRADE'] : ['RESTART', 'SUSPEND', 'UPGRADE'];
  return {
    ...instance(index),
    state: suspended ? 'SUSPENDED' : 'RUNNING',
    revision: '1',
    deletionProtected,
    availableOperations: [...changes, ...(deletionProtected ? [] : ['DELETE'])],
    ...(labels.has(id) && { labels: labels.get(id) }),
  };
}

function eventLog() {
  const items: object[] = [];
  let wake = () => {};
  return {
    push: (operation: object) => {
      items.push({ cursor: String(items.length + 1), operation });
      wake();
    },
    async *all() {
      for (let index = 0; ; index++) {
        if (index === items.length) await new Promise<void>((resolve) => (wake = resolve));
        yield items[index];
      }
    },
  };
}

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

beforeEach(async () => {
  [role, sent, refused, labels, events] = ['OPERATOR', [], new Set(), new Map(), eventLog()];
  const mutation = (name: string, answer: (id: string) => object) => ({ input }: { input: { id: string } }) => {
    sent.push([name, input]);
    if (refused.has(input.id)) return { userErrors: [{ code: 'CONFLICT', field: ['id'], message: 'another operation is in progress' }] };
    return answer(input.id);
  };
  const operation = (kind: string) => (id: string) => ({ operation: { id: `${kind}-${indexOf(id)}`, status: 'PENDING' } });
  server = await startFakeServer(200, {
    fields: {
      controlPlane: () => ({ caller: { role }, limits: { restartTimeoutSeconds: { min: 1, max: 3600, default: 60 }, labels: range(0, 20), labelKeyLength: range(1, 63), labelValueLength: range(0, 63) } }),
      instance: target,
      operations: { nodes: [{ id: 'create-1', kind: 'CREATE', status: 'SUCCEEDED', instance: instance(1) }] },
      restartInstance: mutation('restart', operation('restart')),
      deleteInstance: mutation('delete', operation('delete')),
      updateInstance: ({ input }: { input: { id: string; labels: object[] } }) => {
        sent.push(['update', input]);
        labels.set(input.id, input.labels);
        return {};
      },
    },
    subscriptions: { instanceEvents: () => events.all() },
  });
});
afterEach(() => server.stop());

const box = (page: Page, index: number) => page.getByRole('checkbox', { name: `Select instance-${String(index).padStart(4, '0')}` });
const bar = (page: Page) => page.getByRole('region', { name: 'Selected instances' });
const focused = (page: Page) => page.evaluate(() => document.activeElement?.ariaLabel ?? document.activeElement?.textContent);

const SCREENS = [
  { scheme: 'light', width: 1440, height: 900 },
  { scheme: 'dark', width: 390, height: 844 },
] as const;

test.each(SCREENS)('rows are selected one by one, in ranges and all, $scheme at $width px', async (screen) => {
  const { page, complaints } = await open(browser, server.url, screen);
  await box(page, 1).check();
  await bar(page).getByText('1 selected', { exact: true }).waitFor();
  await box(page, 4).click({ modifiers: ['Shift'] });
  await bar(page).getByText('4 selected', { exact: true }).waitFor();
  await expect.poll(() => page.evaluate(() => getSelection()?.toString())).toBe('');
  await expectAccessible(page);
  await screenshot(page, `selection-${screen.width < 500 ? 'phone-' : ''}${screen.scheme}`, false);
  await page.getByRole('button', { name: 'Actions for instance-0003' }).click();
  await page.getByRole('menuitem', { name: 'Suspend' }).waitFor();
  await expectAccessible(page);
  await screenshot(page, `row-menu-${screen.width < 500 ? 'phone-' : ''}${screen.scheme}`, false);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('menuitemcheckbox', { name: 'Status' }).waitFor();
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await page.getByRole('menu').waitFor({ state: 'detached' });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(screen.width);
  // Also those that are not in the document: the range goes on where the list is scrolled to.
  await page.getByRole('columnheader', { name: 'Name' }).getByRole('button').click();
  await page.mouse.wheel(0, 60_000);
  await box(page, 199).click({ modifiers: ['Shift'] });
  await bar(page).getByText('199 selected', { exact: true }).waitFor();

  // What a filter hides stays selected, and is said to be.
  await page.getByLabel('Search by name').fill('team=finance');
  await bar(page).getByText('199 selected, 132 not shown').waitFor();
  const all = page.getByRole('checkbox', { name: 'Select all that are shown' });
  await expect.poll(() => all.isChecked()).toBe(true);
  await all.click();
  await bar(page).getByText('132 selected, 132 not shown').waitFor();
  await all.click();
  await bar(page).getByText('199 selected, 132 not shown').waitFor();
  await page.getByLabel('Clear the search').click();
  await expect.poll(() => all.evaluate((input: HTMLInputElement) => input.indeterminate)).toBe(true);
  await bar(page).getByRole('button', { name: 'Clear the selection' }).click();
  await bar(page).waitFor({ state: 'detached' });
  expect(complaints).toEqual([]);
  await page.context().close();
});

test('the keyboard alone goes through the rows, selects them and opens their menus', async () => {
  const { page } = await open(browser, server.url);
  await box(page, 0).focus();
  await page.keyboard.press('Space');
  await page.keyboard.press('ArrowDown');
  await expect.poll(() => focused(page)).toBe('Select instance-0001');
  await page.keyboard.press('Shift+ArrowDown');
  await page.keyboard.press('Shift+ArrowDown');
  await bar(page).getByText('4 selected', { exact: true }).waitFor();
  await page.keyboard.press('Shift+Space');
  await bar(page).getByText('3 selected', { exact: true }).waitFor();
  await page.keyboard.press('End');
  await expect.poll(() => focused(page)).toBe('Select instance-0199');
  await page.keyboard.press('ArrowUp');
  const place = await page.evaluate(() => document.activeElement?.getBoundingClientRect().top ?? 0);
  expect(place).toBeGreaterThan(90);
  await page.keyboard.press('Home');
  await expect.poll(() => focused(page)).toBe('Select instance-0000');
  await page.keyboard.press('Tab');
  await expect.poll(() => focused(page)).toBe('instance-0000');
  await page.keyboard.press('ArrowDown');
  await expect.poll(() => focused(page)).toBe('instance-0001');

  // The menu of a selected row also has what can be done to all that are selected.
  await page.keyboard.press('Tab');
  await expect.poll(() => focused(page)).toBe('Actions for instance-0001');
  await page.keyboard.press('Enter');
  await page.getByText('3 selected instances').waitFor();
  await page.getByRole('menuitem', { name: 'Suspend' }).waitFor();
  await expect.poll(() => page.getByRole('menuitem').allInnerTexts()).toEqual(['Restart', 'Suspend', 'Edit labels', 'Delete', 'Restart', 'Edit labels', 'Delete']);
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect.poll(() => focused(page)).toBe('Actions for instance-0001');
  await bar(page).getByText('3 selected', { exact: true }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'Restart' }).first().waitFor();
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Delete the selected instances' });
  await dialog.getByText('2 instances will be deleted').waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await expect.poll(() => focused(page)).toBe('Actions for instance-0001');
  await page.keyboard.press('Escape');
  await bar(page).waitFor({ state: 'detached' });
  await page.context().close();
});

test('the menu of a row has what the server would accept', async () => {
  const { page } = await open(browser, server.url);
  const items = async (index: number) => {
    await page.getByRole('button', { name: `Actions for instance-${String(index).padStart(4, '0')}` }).click();
    await page.getByRole('menuitem', { name: 'Edit labels' }).waitFor();
    const texts = await page.getByRole('menuitem').allInnerTexts();
    await page.keyboard.press('Escape');
    await page.getByRole('menu').waitFor({ state: 'detached' });
    return texts;
  };
  expect(await items(1)).toEqual(['Restart', 'Suspend', 'Edit labels', 'Delete']);
  expect(await items(5)).toEqual(['Restart', 'Suspend', 'Edit labels', 'Delete (deletion protection is on)']);
  expect(await items(7)).toEqual(['Resume', 'Edit labels', 'Delete']);
  await page.context().close();
});

test.each(SCREENS)('some of many fail, and nothing is lost, $scheme at $width px', async (screen) => {
  refused = new Set([instance(2).id]);
  const { page, complaints } = await open(browser, server.url, screen);
  await box(page, 1).check();
  await box(page, 7).click({ modifiers: ['Shift'] });
  await bar(page).getByRole('button', { name: 'Restart' }).click();
  const dialog = page.getByRole('dialog', { name: 'Restart the selected instances' });
  await dialog.getByText('6 instances will be restarted').waitFor();
  await dialog.getByText('1 instance will be left as it is').waitFor();
  await dialog.getByRole('listitem').filter({ hasText: 'instance-0007' }).getByText('it is suspended').waitFor();
  await expectAccessible(page);
  expect(sent).toEqual([]);
  // One request does not arrive.
  await page.route('**/graphql', (route) => (route.request().postData()?.includes(`"id":"${instance(3).id}"`) && route.request().postData()?.includes('BulkRestart') ? route.abort() : route.continue()));
  await dialog.getByRole('button', { name: 'Restart' }).click();
  await dialog.getByText('0 of 6 done, 2 failed, 4 in progress').waitFor();
  const line = (index: number) => dialog.getByRole('listitem').filter({ hasText: `instance-000${index}` });
  await line(2).getByText('Another operation is in progress').waitFor();
  await line(3).getByText("Can't reach the server.").waitFor();
  // Those that failed come first.
  await expect.poll(() => dialog.getByRole('listitem').first().innerText()).toMatch(/^instance-0002/);
  for (const index of [1, 4, 5]) events.push({ id: `restart-${index}`, status: 'SUCCEEDED', error: null });
  events.push({ id: 'restart-6', status: 'FAILED', error: { message: 'the server did not start' } });
  await dialog.getByText('3 of 6 done, 3 failed').waitFor();
  await line(6).getByText('The server did not start').waitFor();
  await expectAccessible(page);
  await screenshot(page, `bulk-${screen.width < 500 ? 'phone-' : ''}${screen.scheme}`, false);

  // Sent again with the same key, so that it has no second effect if the first request did arrive.
  const keys = new Set(sent.map(([, { idempotencyKey }]) => idempotencyKey));
  expect(keys.size).toBe(5);
  await page.unroute('**/graphql');
  refused.clear();
  await dialog.getByRole('button', { name: 'Retry (2)' }).click();
  await line(3).getByText('Pending').waitFor();
  await line(2).getByText('Pending').waitFor();
  const again = sent.filter(([, { id }]) => id === instance(2).id);
  expect(again).toHaveLength(2);
  expect(again[0]?.[1].idempotencyKey).toBe(again[1]?.[1].idempotencyKey);
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await dialog.waitFor({ state: 'detached' });
  // What was left as it is is still selected.
  await bar(page).getByText('1 selected', { exact: true }).waitFor();
  expect(complaints.filter((complaint) => !complaint.includes('ERR_FAILED'))).toEqual([]);
  await page.context().close();
});

test('what was not sent yet can be left alone', async () => {
  const { page } = await open(browser, server.url);
  await box(page, 8).check();
  await box(page, 13).click({ modifiers: ['Shift'] });
  await bar(page).getByRole('button', { name: 'Restart' }).click();
  const dialog = page.getByRole('dialog', { name: 'Restart the selected instances' });
  await dialog.getByText('6 instances will be restarted').waitFor();
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/graphql', async (route) => {
    if (route.request().postData()?.includes('BulkRestart')) await released;
    await route.continue();
  });
  await dialog.getByRole('button', { name: 'Restart' }).click();
  await dialog.getByText('0 of 6 done, 6 in progress').waitFor();
  await page.keyboard.press('Escape');
  const question = page.getByRole('dialog', { name: 'Stop here?' });
  await question.waitFor();
  await expectAccessibleInBothThemes(page);
  await question.getByRole('button', { name: 'Keep open' }).click();
  await question.waitFor({ state: 'detached' });
  await dialog.getByRole('button', { name: 'Stop' }).click();
  release();
  await dialog.getByText('0 of 6 done, 2 not sent, 4 in progress').waitFor();
  await expect.poll(() => dialog.getByText('Not sent', { exact: true }).count()).toBe(2);
  expect(sent).toHaveLength(4);
  await dialog.getByRole('button', { name: 'Retry (2)' }).click();
  await dialog.getByText('0 of 6 done, 6 in progress').waitFor();
  expect(new Set(sent.map(([, { id }]) => id)).size).toBe(6);
  await page.context().close();
});

test('a deletion names what it would delete, and what is protected', async () => {
  const { page } = await open(browser, server.url, SCREENS[1]);
  await box(page, 4).check();
  await box(page, 6).click({ modifiers: ['Shift'] });
  await bar(page).getByRole('button', { name: 'Delete' }).click();
  const dialog = page.getByRole('dialog', { name: 'Delete the selected instances' });
  const left = dialog.getByRole('list', { name: 'Instances that will be left as they are' });
  await left.getByText('instance-0005').waitFor();
  await left.getByText('deletion protection is on').waitFor();
  const submit = dialog.getByRole('button', { name: 'Delete' });
  await dialog.getByLabel('Type "delete 2" to confirm').fill('delete 3');
  await expect.poll(() => submit.isDisabled()).toBe(true);
  await dialog.getByLabel('Type "delete 2" to confirm').fill('delete 2');
  await expectAccessibleInBothThemes(page);
  await submit.click();
  await dialog.getByText('0 of 2 done, 2 in progress').waitFor();
  expect(sent.map(([name, { id }]) => [name, indexOf(id)])).toEqual([['delete', 4], ['delete', 6]]);
  await page.context().close();
});

test.each(SCREENS)('labels are set and removed, and those of others stay, $scheme at $width px', async (screen) => {
  const { page } = await open(browser, server.url, screen);
  labels.set(instance(1).id, [{ key: 'env', value: 'live' }, { key: 'team', value: 'shop' }]);
  labels.set(instance(2).id, [{ key: 'tier', value: 'gold' }]);
  labels.set(instance(3).id, [{ key: 'env', value: 'test' }]);
  await box(page, 1).check();
  await box(page, 3).click({ modifiers: ['Shift'] });
  await bar(page).getByRole('button', { name: 'Edit labels' }).click();
  const dialog = page.getByRole('dialog', { name: 'Labels of the selected instances' });
  await expect.poll(() => focused(page)).toBe('Key of label 1');
  await dialog.getByText('No instance will be changed').waitFor();
  await expect.poll(() => dialog.getByRole('button', { name: 'Change' }).isDisabled()).toBe(true);
  await page.keyboard.type('env');
  await dialog.getByLabel('Value of label 1').fill('test');
  await dialog.getByLabel('Remove labels').first().click();
  await page.getByRole('option', { name: 'team' }).click();
  await page.keyboard.press('Escape');
  const changed = dialog.getByRole('list', { name: 'Instances that will be changed' });
  await expect.poll(() => changed.getByRole('listitem').allInnerTexts()).toEqual([expect.stringMatching(/instance-0001\s+env=test/), expect.stringMatching(/instance-0002\s+tier=gold, env=test/)]);
  await dialog.getByRole('list', { name: 'Instances that will be left as they are' }).getByText('instance-0003').waitFor();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Change' }).click();
  await dialog.getByText('2 of 2 done').waitFor();
  expect(labels.get(instance(1).id)).toEqual([{ key: 'env', value: 'test' }]);
  expect(labels.get(instance(2).id)).toEqual([{ key: 'tier', value: 'gold' }, { key: 'env', value: 'test' }]);
  expect(sent).toHaveLength(2);
  await expectAccessible(page);
  await page.context().close();
});

test('a viewer can select nothing', async () => {
  role = 'VIEWER';
  const { page } = await open(browser, server.url);
  await page.getByText('200 instances').waitFor();
  await page.getByText('Read-only access', { exact: true }).waitFor();
  await expect.poll(() => page.getByRole('checkbox').count()).toBe(0);
  await expect.poll(() => page.getByRole('button', { name: /^Actions for/ }).count()).toBe(0);
  await page.context().close();
});

test('the choice of columns is kept until it is reset', async () => {
  const { page } = await open(browser, server.url, SCREENS[0]);
  const headings = async () => (await page.getByRole('columnheader').allInnerTexts()).map((text) => text.trim()).filter((text) => text && text !== 'Actions');
  await page.getByText('200 instances').waitFor();
  await expect.poll(() => headings()).toEqual(['Name', 'Status', 'Endpoint', 'Version', 'Size', 'Transactions', 'Age']);
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('menuitemcheckbox', { name: 'Endpoint' }).click();
  await page.getByRole('menuitemcheckbox', { name: 'Size' }).click();
  await expectAccessible(page);
  await expect.poll(() => headings()).toEqual(['Name', 'Status', 'Version', 'Transactions', 'Age']);
  await page.reload();
  await page.getByText('200 instances').waitFor();
  await expect.poll(() => headings()).toEqual(['Name', 'Status', 'Version', 'Transactions', 'Age']);
  await page.getByRole('button', { name: 'Columns' }).click();
  await expect.poll(() => page.getByRole('menuitemcheckbox', { name: 'Endpoint' }).getAttribute('aria-checked')).toBe('false');
  await page.getByRole('menuitem', { name: 'Show all' }).click();
  await expect.poll(() => headings()).toEqual(['Name', 'Status', 'Endpoint', 'Version', 'Size', 'Transactions', 'Age']);
  await page.reload();
  await page.getByText('200 instances').waitFor();
  await expect.poll(() => headings()).toEqual(['Name', 'Status', 'Endpoint', 'Version', 'Size', 'Transactions', 'Age']);

  // Each table has its own choice.
  await page.goto(`${server.url}/operations`);
  await page.getByRole('row', { name: /Create.*instance-0001/s }).waitFor();
  await expect.poll(() => headings()).toEqual(['Operation', 'Instance', 'Status', 'Requested by', 'Requested', 'Duration']);
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('menuitemcheckbox', { name: 'Requested by' }).click();
  await expectAccessible(page);
  await page.reload();
  await page.getByRole('row', { name: /Create.*instance-0001/s }).waitFor();
  await expect.poll(() => headings()).toEqual(['Operation', 'Instance', 'Status', 'Requested', 'Duration']);
  await page.goto(server.url);
  await page.getByText('200 instances').waitFor();
  await expect.poll(() => headings()).toEqual(['Name', 'Status', 'Endpoint', 'Version', 'Size', 'Transactions', 'Age']);

  // What a narrow screen has no room for cannot be chosen.
  await page.setViewportSize({ width: 390, height: 844 });
  await expect.poll(headings).toEqual(['Name', 'Status']);
  await page.getByRole('button', { name: 'Columns' }).click();
  await expect.poll(() => page.getByRole('menuitemcheckbox', { name: 'Endpoint' }).isDisabled()).toBe(true);
  await page.getByText('The others need a wider screen').waitFor();
  await expectAccessible(page);
  await page.context().close();
});
