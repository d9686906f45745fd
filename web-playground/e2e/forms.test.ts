import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { changeDatabase, createInstance, updateInstance } from './api';
import { expectAccessibleInBothThemes, launch, open, section } from './browser';
import { type Server, startServer } from './server';

let server: Server;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), launch()]);
  // So low that a long form has to be scrolled.
  ({ page } = await open(browser, server.url, { width: 390, height: 600 }));
});

afterAll(async () => {
  await browser?.close();
  await server?.clear();
});

const focused = () => page.evaluate(() => (document.activeElement as HTMLInputElement | null)?.labels?.[0]?.textContent ?? document.activeElement?.ariaLabel);

test('a dialog asks before it closes with what was entered, and only then', async () => {
  const dialog = page.getByRole('dialog', { name: 'Create instance' });
  await page.getByRole('button', { name: 'Create instance' }).click();
  await dialog.waitFor();
  expect(await dialog.evaluate((element) => getComputedStyle(element).transitionDuration), 'as the system is set').toMatch(/^0m?s$/);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });

  await page.getByRole('button', { name: 'Create instance' }).click();
  await dialog.getByLabel('Name').fill('orders');
  await page.keyboard.press('Escape');
  const question = page.getByRole('dialog', { name: 'Discard what you entered?' });
  await question.waitFor();
  await expectAccessibleInBothThemes(page);
  await page.keyboard.press('Escape');
  await question.waitFor({ state: 'detached' });
  await expect.poll(() => dialog.getByLabel('Name').inputValue()).toBe('orders');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await question.getByRole('button', { name: 'Discard' }).click();
  await dialog.waitFor({ state: 'detached' });
});

test('the first field in error gets the focus, and the form says how many there are', async () => {
  await page.getByRole('button', { name: 'Create instance' }).click();
  const dialog = page.getByRole('dialog', { name: 'Create instance' });
  await dialog.getByRole('button', { name: 'Advanced settings' }).click();
  await dialog.getByLabel('Health check interval').fill('0');
  for (const index of [1, 2]) {
    await dialog.getByRole('button', { name: 'Add label' }).click();
    await dialog.getByLabel(`Key of label ${index}`).fill('team');
  }
  const submit = dialog.getByRole('button', { name: 'Create', exact: true });
  await submit.click();
  await dialog.getByText('3 fields have errors').waitFor();
  await expect.poll(focused).toContain('Name');
  await dialog.getByText('Duplicate key "team"').waitFor();
  await expect.poll(() => dialog.getByLabel('Key of label 2').getAttribute('aria-invalid')).toBe('true');
  await expectAccessibleInBothThemes(page);

  // Also a field in a section that is closed.
  await dialog.getByLabel('Name').fill('orders');
  await dialog.getByRole('button', { name: 'Remove label 2' }).click();
  await dialog.getByRole('button', { name: 'Advanced settings' }).click();
  await submit.click();
  await dialog.getByText('1 field has an error').waitFor();
  await expect.poll(focused).toBe('Health check interval');
  await dialog.getByText('Must be 1 to 3600 seconds').waitFor();
  await dialog.getByLabel('Health check interval').fill('2');
});

test('a maintenance window is chosen when an instance is created', async () => {
  const dialog = page.getByRole('dialog', { name: 'Create instance' });
  await dialog.getByLabel('Weekday').click();
  await page.getByRole('option', { name: 'Friday' }).click();
  await dialog.getByLabel('Start time').fill('04:15');
  await dialog.getByLabel('Duration').fill('9');
  await dialog.getByText('Must be 10 to 1440 minutes').waitFor();
  await dialog.getByRole('button', { name: 'Create', exact: true }).click();
  await dialog.getByText('1 field has an error').waitFor();
  await dialog.getByLabel('Duration').fill('45');
  await expectAccessibleInBothThemes(page);
});

test('sizes are exact', async () => {
  const dialog = page.getByRole('dialog', { name: 'Create instance' });
  const cpu = dialog.getByLabel('CPU');
  await dialog.getByText('Medium', { exact: true }).click();
  await expect.poll(() => cpu.inputValue()).toBe('1 vCPU');
  await expect.poll(() => dialog.getByLabel('Memory').inputValue()).toBe('2048 MiB');
  await dialog.getByText('Small', { exact: true }).click();
  await expect.poll(() => cpu.inputValue()).toBe('0.5 vCPU');
  await cpu.fill('0.01');
  await dialog.getByText('Must be 0.1 to 128 vCPU').waitFor();
  await cpu.fill('0.25');
  await dialog.getByLabel('Memory').fill('1280');
  await dialog.getByText('Custom', { exact: true }).waitFor();
  const storage = dialog.getByLabel('Storage', { exact: true });
  await storage.fill('65537');
  await dialog.getByText('Must be 1 to 65536 GiB').waitFor();
  // More than a setting of PostgreSQL in kilobytes can have.
  await storage.fill('5000');
  await dialog.getByRole('button', { name: 'Create', exact: true }).click();
  await page.waitForURL('**/instances/*');
  await page.getByText('5000 GiB').waitFor();
  await page.getByText('0.25 vCPU, 1.25 GiB', { exact: true }).waitFor();
  await page.getByRole('status', { name: 'Status' }).getByText('Healthy').waitFor({ timeout: 60_000 });
});

test('what somebody else has changed meanwhile is not overwritten', async () => {
  const id = new URL(page.url()).pathname.split('/').at(-1) ?? '';
  await page.getByRole('button', { name: 'Edit labels' }).click();
  const dialog = page.getByRole('dialog', { name: 'Labels of orders' });
  await dialog.getByLabel('Value of label 1').fill('shop');
  await updateInstance(server.url, { id, labels: [{ key: 'team', value: 'finance' }] });
  const alert = dialog.getByRole('alert').filter({ hasText: 'Somebody else' });
  await alert.getByText('Theirs: team=finance').waitFor();
  await alert.getByText('Yours: team=shop').waitFor();
  await expect.poll(() => dialog.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
  await expectAccessibleInBothThemes(page);
  await alert.getByRole('button', { name: 'Use theirs' }).click();
  await expect.poll(() => dialog.getByLabel('Value of label 1').inputValue()).toBe('finance');

  await dialog.getByLabel('Value of label 1').fill('shop');
  await updateInstance(server.url, { id, labels: [] });
  await alert.getByText('Theirs: none').waitFor();
  await alert.getByRole('button', { name: 'Keep mine' }).click();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('team=shop').waitFor();
});

test('an edit is sent again when something else of the instance has changed', async () => {
  const id = new URL(page.url()).pathname.split('/').at(-1) ?? '';
  await page.getByRole('button', { name: 'Edit labels' }).click();
  const dialog = page.getByRole('dialog', { name: 'Labels of orders' });
  await dialog.getByLabel('Value of label 1').fill('search');
  // The instance changes after the form was sent, and before the server has read it.
  await page.route(
    '**/graphql',
    async (route) => {
      await updateInstance(server.url, { id, deletionProtected: true });
      await route.continue();
    },
    { times: 1 },
  );
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('team=search').waitFor();
  await section(page, 'Settings');
  await page.getByText('Turn off deletion protection first.').waitFor();
  await section(page, 'Overview');
});

test('a secret that is shown once is not lost to a key', async () => {
  await page.getByRole('button', { name: 'New user' }).click();
  const dialog = page.getByRole('dialog', { name: 'New user of orders' });
  await dialog.getByRole('textbox', { name: 'Name' }).fill('reports');
  await dialog.getByRole('button', { name: 'Create', exact: true }).click();
  await page.getByTestId('secret').waitFor();
  const question = page.getByRole('dialog', { name: 'Close without copying?' });
  for (const close of [() => page.keyboard.press('Escape'), () => dialog.getByRole('button', { name: 'Close' }).click()]) {
    await close();
    await question.waitFor();
    await expectAccessibleInBothThemes(page);
    await question.getByRole('button', { name: 'Keep open' }).click();
    await question.waitFor({ state: 'detached' });
    await page.getByTestId('secret').waitFor();
  }
  await dialog.getByRole('button', { name: 'Copy the' }).click();
  await dialog.getByText('Copied').waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
});

test('a database that another one has replaced meanwhile is not dropped unseen', async () => {
  const instanceId = new URL(page.url()).pathname.split('/').at(-1) ?? '';
  const databases = page.getByRole('table', { name: 'Databases' });
  await page.getByRole('row', { name: /reports.*Read only/ }).waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'New database' }).click();
  const create = page.getByRole('dialog', { name: 'New database in orders' });
  await create.getByRole('textbox', { name: 'Name' }).fill('app');
  await create.getByRole('button', { name: 'Create', exact: true }).click();
  await create.getByText('There is a database of this name').waitFor();
  await create.getByRole('textbox', { name: 'Name' }).fill('archive');
  // Something else of the instance changes after the form was sent: it is sent again.
  await page.route(
    '**/graphql',
    async (route) => {
      await updateInstance(server.url, { id: instanceId, deletionProtected: false });
      await route.continue();
    },
    { times: 1 },
  );
  await create.getByRole('button', { name: 'Create', exact: true }).click();
  await create.waitFor({ state: 'detached' });
  await databases.getByRole('row', { name: /archive.*app/ }).waitFor({ timeout: 60_000 });

  await page.getByRole('button', { name: 'Drop the database archive' }).click();
  const drop = page.getByRole('dialog', { name: 'Drop the database archive?' });
  await drop.getByLabel('Type "archive" to confirm').fill('archive');
  await changeDatabase(server.url, 'drop', { instanceId, name: 'archive' });
  await drop.getByText('The database was dropped meanwhile.').waitFor({ timeout: 60_000 });
  await expect.poll(() => drop.getByRole('button', { name: 'Drop', exact: true }).isDisabled()).toBe(true);
  await page.getByRole('status', { name: 'Status' }).getByText('Healthy').waitFor({ timeout: 60_000 });
  await changeDatabase(server.url, 'create', { instanceId, name: 'archive', owner: 'reports' });
  const alert = drop.getByRole('alert').filter({ hasText: 'Somebody else' });
  await alert.getByText('Theirs: owned by reports').waitFor({ timeout: 60_000 });
  await alert.getByText('Yours: owned by app').waitFor();
  await expectAccessibleInBothThemes(page);
  await expect.poll(() => drop.getByRole('button', { name: 'Drop', exact: true }).isDisabled()).toBe(true);
  await alert.getByRole('button', { name: 'Use theirs' }).click();
  await page.getByRole('status', { name: 'Status' }).getByText('Healthy').waitFor({ timeout: 60_000 });
  await drop.getByRole('button', { name: 'Drop', exact: true }).click();
  await drop.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Drop the database archive' }).waitFor({ state: 'detached', timeout: 60_000 });
});

test('that the server cannot be reached is no longer said when it can be', async () => {
  await page.getByRole('button', { name: 'Edit labels' }).click();
  const dialog = page.getByRole('dialog', { name: 'Labels of orders' });
  await dialog.getByLabel('Value of label 1').fill('ops');
  await server.stop();
  await dialog.getByRole('button', { name: 'Save' }).click();
  const message = dialog.getByText("Can't reach the server.");
  await message.waitFor();
  await server.start();
  await page.getByRole('button', { name: 'Connection: Live' }).waitFor({ state: 'attached', timeout: 30_000 });
  await message.waitFor({ state: 'detached' });
  await expect.poll(() => dialog.getByLabel('Value of label 1').inputValue()).toBe('ops');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
});

test('an instance is renamed while it runs', async () => {
  await createInstance(server.url, 'taken');
  await section(page, 'Overview');
  await page.getByRole('button', { name: 'Edit name and network access' }).click();
  const dialog = page.getByRole('dialog', { name: 'Address of orders' });
  await dialog.getByLabel('Name').fill('Orders');
  await dialog.getByText(/lower-case/).waitFor();
  await dialog.getByLabel('Name').fill('taken');
  await dialog.getByRole('button', { name: 'Save' }).click();
  // The server words it to follow a colon.
  await dialog.getByText(/^An instance named 'taken' exists already/).waitFor();
  await expect.poll(() => dialog.getByRole('group', { name: 'Network access' }).count(), { message: 'the process runtime has one kind' }).toBe(0);
  await expectAccessibleInBothThemes(page);
  await dialog.getByLabel('Name').fill('invoices');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('heading', { name: 'invoices' }).waitFor();
  await page.getByRole('status', { name: 'Status' }).getByText('Healthy').waitFor();
});

test('a maintenance window is chosen and turned off', async () => {
  const edit = page.getByRole('button', { name: 'Edit maintenance window' });
  const dialog = page.getByRole('dialog', { name: 'Updates of invoices' });
  await section(page, 'Settings');
  // What the instance was created with.
  await page.getByText('Friday 04:15 UTC, for 45m').waitFor();
  await edit.click();
  await dialog.getByLabel('Weekday').click();
  await page.getByRole('option', { name: 'Sunday' }).click();
  await dialog.getByLabel('Start time').fill('23:30');
  await dialog.getByLabel('Duration').fill('5');
  await dialog.getByText(/Must be 10 to/).waitFor();
  await dialog.getByLabel('Duration').fill('90');
  await expectAccessibleInBothThemes(page);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Sunday 23:30 UTC, for 90m').waitFor();
  await edit.click();
  await dialog.getByLabel('Weekday').click();
  await page.getByRole('option', { name: 'Only when asked' }).click();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('only when asked').waitFor();
});
