import type { Browser, Page } from 'playwright-core';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, open, section, type Watched } from './browser';
import { type Server, startServer } from './server';

let server: Server;
let browser: Browser;
let watched: Watched;
let page: Page;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), launch()]);
  watched = await open(browser, server.url);
  page = watched.page;
});

afterAll(async () => {
  await browser?.close();
  await server?.clear();
});

const shows = (text: string) => page.getByRole('status', { name: 'Status' }).getByText(text, { exact: true }).waitFor({ timeout: 60_000 });

const copiedUrl = async () => {
  const read = () => page.evaluate(() => navigator.clipboard.readText());
  // That something was copied may still be said of the time before.
  await page.evaluate(() => navigator.clipboard.writeText(''));
  await page.getByRole('button', { name: 'Copy the connection string' }).click();
  await expect.poll(read).toMatch(/^postgres/);
  return read();
};

const events = () => page.getByRole('region', { name: 'Event log' });
const instanceId = () => new URL(page.url()).pathname.split('/').at(-1) ?? '';

test('an empty list offers to create the first instance', async () => {
  await page.getByRole('button', { name: 'Create instance' }).click();
  await page.getByRole('dialog', { name: 'Create instance' }).waitFor();
});

test('errors appear at their fields, those of the server too', async () => {
  const name = page.getByLabel('Name');
  await name.fill('Not_A_Name');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.getByText('must be a DNS label').waitFor();
  await expect.poll(() => name.getAttribute('aria-invalid')).toBe('true');

  await name.fill('orders');
  await page.getByLabel('Storage', { exact: true }).fill('1');
  // The name is replaced by an invalid one after the check of the page.
  await page.route(
    '**/graphql',
    async (route) => {
      const { query, variables } = route.request().postDataJSON();
      await route.continue({ postData: JSON.stringify({ query, variables: { input: { ...variables.input, name: '-' } } }) });
    },
    { times: 1 },
  );
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await expect.poll(() => name.getAttribute('aria-invalid')).toBe('true');
});

test('an instance is created and becomes healthy live', async () => {
  await page.getByRole('button', { name: 'Advanced settings' }).click();
  await page.getByLabel('Health check interval').fill('2');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.waitForURL('**/instances/*');
  await page.getByRole('heading', { name: 'Latest operation' }).waitFor();
  await shows('Healthy');
  // A finished operation is one line.
  const operation = page.getByRole('region', { name: 'Latest operation' });
  await operation.getByRole('button', { name: 'Show steps' }).waitFor();
  const steps = operation.getByRole('listitem');
  await expect.poll(() => steps.count()).toBe(0);
  await operation.getByRole('button', { name: 'Show steps' }).click();
  await expect.poll(() => steps.allInnerTexts()).toEqual(expect.arrayContaining([expect.stringMatching(/Deploy PostgreSQL\s+[\d.]+m?s/)]));
});

test('the password is hidden, and the copied connection string works', async () => {
  const line = page.getByTestId('connection-string');
  await expect.poll(() => line.innerText()).toContain('•••');
  await page.getByRole('button', { name: 'Copy the connection string' }).click();
  await page.getByText('Copied').waitFor();
  await expect.poll(() => line.innerText()).toContain('•••');
  const url = await page.evaluate(() => navigator.clipboard.readText());
  expect(await select(url, 'SELECT 1 + 1 AS sum')).toEqual([{ sum: 2 }]);
  // Each of its parts can be copied too.
  const { hostname, port, password } = new URL(url.replace('postgresql:', 'http:'));
  for (const [field, value] of [['host', hostname], ['port', port], ['password', decodeURIComponent(password)]] as const) {
    await page.getByRole('button', { name: `Copy the ${field}`, exact: true }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(value);
  }

  await page.getByRole('button', { name: 'Show the password' }).click();
  await expect.poll(() => line.innerText()).toBe(url);
  await page.getByRole('tab', { name: 'Rust' }).click();
  await expect.poll(() => page.getByRole('tabpanel').innerText()).toContain(url);
  await page.getByRole('button', { name: 'Hide the password' }).click();
});

test('the password is rotated, and the connection string has the new one', async () => {
  const line = page.getByTestId('connection-string');
  await page.getByRole('button', { name: 'Show the password' }).click();
  await expect.poll(() => line.innerText()).not.toContain('•••');
  const before = await line.innerText();
  await page.getByRole('button', { name: 'Rotate password' }).click();
  const dialog = page.getByRole('dialog', { name: 'Rotate password of orders?' });
  await dialog.getByRole('textbox', { name: 'Password' }).fill('short');
  await dialog.getByText('must have 8 to 99 bytes').waitFor();
  await dialog.getByRole('textbox', { name: 'Password' }).fill('chosen-by-hand');
  await dialog.getByRole('button', { name: 'Rotate', exact: true }).click();
  const rotation = page.getByRole('region', { name: 'Latest operation' });
  // The one before has succeeded too.
  await rotation.getByText('Rotate password', { exact: true }).waitFor();
  await rotation.getByText('Succeeded', { exact: true }).waitFor({ timeout: 60_000 });
  await expect.poll(() => line.innerText()).toContain('•••');
  await page.getByRole('button', { name: 'Show the password' }).click();
  await expect.poll(() => line.innerText()).toContain(':chosen-by-hand@');
  expect(await select(await line.innerText(), 'SELECT 1 + 1 AS sum')).toEqual([{ sum: 2 }]);
  await expect(select(before, 'SELECT 1')).rejects.toThrow('password authentication failed');
  await page.getByRole('button', { name: 'Hide the password' }).click();
  await shows('Healthy');
});

test('a user and a database are created and dropped, and the password is shown once', async () => {
  const url = new URL(await copiedUrl());
  await page.getByRole('button', { name: 'New user' }).click();
  const user = page.getByRole('dialog', { name: 'New user of orders' });
  await user.getByRole('textbox', { name: 'Name' }).fill('reports');
  await user.getByRole('button', { name: 'Create', exact: true }).click();
  const password = await page.getByTestId('secret').innerText();
  await page.getByRole('button', { name: 'Done' }).click();
  const row = page.getByRole('table', { name: 'Users' }).getByRole('row', { name: /reports.*Read only.*app/ });
  await row.waitFor({ timeout: 60_000 });
  [url.username, url.password] = ['reports', password];
  expect(await select(url.href, 'SELECT 1 + 1 AS sum')).toEqual([{ sum: 2 }]);

  await page.getByRole('button', { name: 'New database' }).click();
  const database = page.getByRole('dialog', { name: 'New database in orders' });
  await database.getByRole('textbox', { name: 'Name' }).fill('archive');
  await database.getByRole('button', { name: 'Create', exact: true }).click();
  await page.getByRole('table', { name: 'Databases' }).getByRole('row', { name: /archive.*app/ }).waitFor({ timeout: 60_000 });

  await page.getByRole('button', { name: 'Drop the database archive' }).click();
  const drop = page.getByRole('dialog', { name: 'Drop the database archive?' });
  await drop.getByLabel('Type "archive" to confirm').fill('archive');
  await drop.getByRole('button', { name: 'Drop', exact: true }).click();
  await page.getByRole('button', { name: 'Drop the database archive' }).waitFor({ state: 'detached', timeout: 60_000 });
  await page.getByRole('button', { name: 'Drop the user reports' }).click();
  await page.getByRole('dialog', { name: 'Drop the user reports?' }).getByRole('button', { name: 'Drop', exact: true }).click();
  await row.waitFor({ state: 'detached', timeout: 60_000 });
  await shows('Healthy');
});

test('a killed process shows as unhealthy, then as recovered', async () => {
  const id = instanceId();
  const pid = await server.postmaster(id);
  process.kill(pid, 'SIGKILL');
  await events().getByText('Health: healthy → unhealthy').waitFor({ timeout: 30_000 });
  await events().getByText('Health: unhealthy → healthy').waitFor({ timeout: 60_000 });
  await shows('Healthy');
  expect(await server.postmaster(id)).not.toBe(pid);
});

test('the instance is restarted: it is updating, then running, and never unhealthy', async () => {
  const id = instanceId();
  const pid = await server.postmaster(id);
  const unhealthy = events().getByText(/unhealthy/);
  const before = await unhealthy.count();
  await page.getByRole('button', { name: 'Restart' }).click();
  const dialog = page.getByRole('dialog', { name: 'Restart orders?' });
  await dialog.getByText('All client connections are closed').waitFor();
  const timeout = dialog.getByLabel('Shutdown timeout');
  // The default of the server. A value out of range is reported and kept.
  await expect.poll(() => timeout.inputValue()).toBe('60s');
  await timeout.fill('0');
  await dialog.getByRole('button', { name: 'Restart' }).click();
  await expect.poll(() => timeout.getAttribute('aria-invalid')).toBe('true');
  await expect.poll(() => timeout.inputValue()).toBe('0s');

  // An error of the server appears at the field too.
  await page.route(
    '**/graphql',
    async (route) => {
      const { query, variables } = route.request().postDataJSON();
      await route.continue({ postData: JSON.stringify({ query, variables: { input: { ...variables.input, timeoutSeconds: -1 } } }) });
    },
    { times: 1 },
  );
  await timeout.fill('30');
  await dialog.getByRole('button', { name: 'Restart' }).click();
  await expect.poll(() => timeout.getAttribute('aria-invalid')).toBe('true');
  await expect.poll(() => timeout.inputValue()).toBe('30s');

  await timeout.fill('45');
  await dialog.getByRole('button', { name: 'Restart' }).click();
  await dialog.waitFor({ state: 'detached' });
  // The state itself may last for less than a frame, so it is read from the log.
  await events().getByText('State: running → updating').waitFor();
  await events().getByText('State: updating → running').waitFor({ timeout: 60_000 });
  await shows('Healthy');

  const operation = page.getByRole('region', { name: 'Latest operation' });
  await operation.getByText('Restart', { exact: true }).waitFor();
  await operation.getByText('Succeeded', { exact: true }).waitFor();
  const steps = await operation.getByRole('listitem').allTextContents();
  expect(steps).toEqual(expect.arrayContaining([expect.stringMatching(/^Restart PostgreSQL.*Succeeded$/)]));
  for (const step of steps) expect(step).toMatch(/Succeeded$|Skipped$/);
  expect(await server.postmaster(id)).not.toBe(pid);
  await expect.poll(() => unhealthy.count()).toBe(before);
  await page.getByRole('button', { name: 'Restart' }).waitFor();
});

test('the instance is resized, with the ranges of the server and of its volume', async () => {
  await page.getByRole('button', { name: 'Resize' }).click();
  const dialog = page.getByRole('dialog', { name: 'Resize orders?' });
  const [memory, storage, submit] = [dialog.getByLabel('Memory'), dialog.getByLabel('Storage', { exact: true }), dialog.getByRole('button', { name: 'Resize' })];
  // The present size. A volume does not shrink.
  await expect.poll(() => memory.inputValue()).toBe('512 MiB');
  await expect.poll(() => storage.inputValue()).toBe('1 GiB');
  await expect.poll(() => submit.isDisabled()).toBe(true);
  await storage.fill('0');
  await expect.poll(() => storage.getAttribute('aria-invalid')).toBe('true');
  await storage.fill('20');
  await memory.fill('768');
  await submit.click();
  await dialog.waitFor({ state: 'detached' });
  const operation = page.getByRole('region', { name: 'Latest operation' });
  await operation.getByText('Resize', { exact: true }).waitFor();
  await operation.getByText('Succeeded', { exact: true }).waitFor({ timeout: 60_000 });
  await page.getByText('20 GiB').waitFor();
  await page.getByText('0.5 vCPU, 768 MiB').waitFor();
  await shows('Healthy');
});

test('parameters are set in a form that the contract describes', async () => {
  await page.getByRole('button', { name: 'Set parameters' }).click();
  const dialog = page.getByRole('dialog');
  const input = (name: string) => dialog.getByRole('textbox', { name: new RegExp(`^${name}`) });
  const add = async (name: string, value: string) => {
    await dialog.getByLabel('Add a parameter').fill(name);
    await page.getByRole('option', { name, exact: true }).click();
    await input(name).fill(value);
  };
  await add('work_mem', 'much');
  await add('max_connections', '50');
  await dialog.getByText('(needs a restart)').waitFor();
  await dialog.getByRole('button', { name: 'Apply' }).click();
  // The error of the server appears at its parameter, and the values stay.
  await dialog.getByText(/^work_mem must be a whole number/).waitFor();
  await expect.poll(() => input('max_connections').inputValue()).toBe('50');
  await input('work_mem').fill('8MB');
  await dialog.getByRole('button', { name: 'Apply' }).click();
  await dialog.waitFor({ state: 'detached' });
  await section(page, 'Settings');
  await page.getByText('work_mem = 8MB').waitFor({ timeout: 60_000 });
  await page.getByText('max_connections = default (50 after a restart)').waitFor();
});

test('labels and protection change live', async () => {
  await section(page, 'Overview');
  await page.getByRole('button', { name: 'Edit labels' }).click();
  await page.getByRole('button', { name: 'Add label' }).click();
  await page.getByLabel('Key of label 1').fill('team');
  await page.getByLabel('Value of label 1').fill('shop');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('team=shop').waitFor();

  await section(page, 'Settings');
  await expect.poll(() => page.url()).toContain('?tab=settings');
  const protection = page.getByRole('switch', { name: 'Deletion protection' });
  await protection.click();
  await page.getByText('Turn off deletion protection first.').waitFor();
  await expect.poll(() => page.getByRole('button', { name: 'Delete' }).isDisabled()).toBe(true);
  await protection.click();
  await expect.poll(() => page.getByRole('button', { name: 'Delete' }).isEnabled()).toBe(true);
});

test('TLS can be required and offered again', async () => {
  const tls = page.getByRole('switch', { name: 'Require TLS' });
  await tls.click();
  await expect.poll(() => tls.isChecked()).toBe(true);
  await page.getByText('required', { exact: true }).waitFor();
  await tls.click();
  await expect.poll(() => tls.isChecked()).toBe(false);
});

test('the list is filtered by labels', async () => {
  await page.getByRole('navigation').getByRole('link', { name: 'Instances' }).click();
  const rows = page.getByRole('table', { name: 'Instances' }).getByRole('link');
  await page.getByLabel('Search by name').fill('team=shop');
  await expect.poll(() => rows.count()).toBe(1);
  await page.getByLabel('Search by name').fill('team=other');
  await page.getByText('No matching instances.').waitFor();
  await page.getByLabel('Clear the search').click();
  await expect.poll(() => rows.count()).toBe(1);
});

test('a reload stays on the page', async () => {
  await page.getByRole('link', { name: 'orders' }).click();
  await page.waitForURL('**/instances/*');
  await page.reload();
  await page.getByRole('heading', { name: 'orders' }).waitFor();
});

test('an instance is deleted after its name was typed', async () => {
  await section(page, 'Settings');
  await page.getByRole('button', { name: 'Delete' }).click();
  const remove = page.getByRole('dialog').getByRole('button', { name: 'Delete' });
  await page.getByLabel('Type "orders" to confirm').fill('order');
  await expect.poll(() => remove.isDisabled()).toBe(true);
  await page.getByLabel('Type "orders" to confirm').fill('orders');
  await remove.click();
  await shows('Deleted');
  await page.getByRole('navigation').getByRole('link', { name: 'Instances' }).click();
  await page.getByText('Create your first instance').waitFor();
});

test('all operations are in a table, each with a page of its own, and the filters are in the URL', async () => {
  await page.getByRole('navigation').getByRole('link', { name: 'Operations' }).click();
  const row = (kind: string) => page.getByRole('row', { name: new RegExp(`^${kind}.*orders.*Succeeded`, 's') });
  await row('Restart').waitFor();
  await page.getByLabel('Kinds', { exact: true }).first().click();
  await page.getByRole('option', { name: 'Delete', exact: true }).click();
  await expect.poll(() => row('Restart').count()).toBe(0);
  await expect.poll(() => page.url()).toContain('?kind=DELETE');
  await row('Delete').getByRole('link', { name: 'Delete' }).click();
  await page.waitForURL('**/operations/delete-*');
  await page.getByRole('heading', { name: 'Delete orders' }).waitFor();
  await page.getByText('Delete PostgreSQL').waitFor();
  await page.reload();
  await page.getByText('Delete PostgreSQL').waitFor();
  await page.goBack();
  await row('Delete').waitFor();
  await expect.poll(() => row('Restart').count()).toBe(0);
  await page.getByRole('link', { name: 'orders' }).first().click();
  await page.waitForURL('**/instances/*');
});

test('deleted instances can be shown in the list', async () => {
  await page.getByRole('navigation').getByRole('link', { name: 'Instances' }).click();
  await page.getByRole('button', { name: 'Show deleted instances' }).click();
  await page.getByRole('row', { name: /orders.*Deleted/s }).waitFor();
  await expect.poll(() => page.url()).toContain('deleted');
});

test('the page reported no errors', () => {
  expect(watched.complaints).toEqual([]);
});

async function select(connectionString: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
