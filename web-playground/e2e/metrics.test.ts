import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectAccessible, launch, open, screenshot } from './browser';
import { startFakeServer } from './fake-server';

const INSTANCE = '00000000-0000-7000-8000-000000000001';

const VALUES: Record<string, [unit: string, value: number]> = {
  ACTIVE_CONNECTIONS: ['COUNT', 7],
  IDLE_CONNECTIONS: ['COUNT', 21],
  IDLE_IN_TRANSACTION_CONNECTIONS: ['COUNT', 2],
  MAX_CONNECTIONS: ['COUNT', 96],
  COMMITS: ['PER_SECOND', 123.4],
  ROLLBACKS: ['PER_SECOND', 0.5],
  ROWS_READ: ['PER_SECOND', 45_000],
  ROWS_WRITTEN: ['PER_SECOND', 310],
  CACHE_HIT_RATIO: ['RATIO', 0.987],
  VOLUME_USED: ['BYTES', 4.2e9],
  DATABASE_SIZE: ['BYTES', 3.1e9],
  VOLUME_AVAILABLE: ['BYTES', 6.5e9],
  WAL_BYTES: ['BYTES_PER_SECOND', 250_000],
  LONGEST_TRANSACTION: ['SECONDS', 125],
};

interface Asked {
  names: string[];
  from?: string;
  stepSeconds: number;
}

let asked: Asked[] = [];
let server: Awaited<ReturnType<typeof startFakeServer>>;
let browser: Browser;

beforeAll(async () => {
  const metrics = (args: Asked) => {
    asked.push(args);
    const { names, stepSeconds } = args;
    const from = args.from ?? new Date(Date.now() - 3_600_000).toISOString();
    const begin = Math.floor(Date.parse(from) / 1000 / stepSeconds) * stepSeconds;
    const count = Math.floor((Date.now() / 1000 - begin) / stepSeconds) + 1;
    return names.map((name) => {
      const [unit, value] = VALUES[name] ?? ['COUNT', 0];
      const points = Array.from({ length: count }, (_, index) => {
        const factor = name === 'MAX_CONNECTIONS' ? 1 : 1 + 0.2 * Math.sin(index / 5);
        const wave = unit === 'RATIO' ? Math.min(1, value * factor) : value * factor;
        return { at: new Date((begin + index * stepSeconds) * 1000).toISOString(), value: wave, minimum: wave, maximum: wave };
      });
      // The server was restarted in between.
      return { name, unit, stepSeconds, points: points.filter((_, index) => index < count / 2 || index > count / 2 + 3) };
    });
  };
  const values = Object.entries(VALUES).map(([name, [unit, value]]) => ({ name, unit, value }));
  const instance = { id: INSTANCE, name: 'orders', state: 'RUNNING', health: 'HEALTHY', username: 'app', database: 'shop' };
  const instanceMetrics = { at: new Date().toISOString(), values };
  [server, browser] = await Promise.all([startFakeServer(1, { fields: { controlPlane: { caller: { role: 'VIEWER' } }, instance: { metrics } }, subscriptions: { instance, instanceMetrics } }), launch()]);
});

afterAll(async () => {
  await browser?.close();
  server?.stop();
});

test.each([
  ['light', 1280],
  ['dark', 1280],
  ['light', 390],
  ['dark', 390],
] as const)('a viewer sees the course of each metric, and the values at the pointer, %s, %i', async (scheme, width) => {
  asked = [];
  const { page, complaints } = await open(browser, `${server.url}/instances/${INSTANCE}?tab=metrics`, { scheme, width });
  const panel = page.getByRole('region', { name: 'Metrics', exact: true });
  const transactions = panel.getByRole('region', { name: 'Transactions' });
  await transactions.getByText('123.4/s').waitFor();
  await panel.getByRole('region', { name: 'Cache hits' }).getByText('98.7%').waitFor();
  await panel.getByRole('region', { name: 'Longest transaction' }).getByText('2m 5s').waitFor();
  await panel.getByRole('region', { name: 'Disk' }).getByText('6.5 GB').waitFor();
  // What the server has not told has no value.
  await panel.getByRole('region', { name: 'Deadlocks' }).getByText('—').waitFor();
  await transactions.locator('.uplot').waitFor();
  expect(asked[0]?.stepSeconds).toBe(60);
  await expectAccessible(page);
  // Nothing is wider than the screen.
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
  await screenshot(page, `metrics-${width > 400 ? '' : 'phone-'}${scheme}`, false);

  const chart = transactions.locator('.uplot');
  const box = await chart.boundingBox();
  await chart.hover({ position: { x: (box?.width ?? 0) - 40, y: 60 } });
  const tooltip = transactions.getByRole('tooltip');
  await tooltip.getByText('Committed').waitFor();
  await tooltip.getByText(/^(9|1[0-4])\d(\.\d)?\/s/).waitFor();
  expect(await tooltip.locator('time').getAttribute('datetime')).toContain('T');

  await panel.getByText('30d', { exact: true }).click();
  await expect.poll(() => asked.at(-1)?.stepSeconds).toBe(21_600);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test('the list has the transactions of the last hour, in a column that can be hidden, with one request', async () => {
  asked = [];
  const { page, complaints } = await open(browser, server.url, { width: 1500 });
  const row = page.getByRole('row', { name: /instance-0000/ });
  await row.locator('polyline').waitFor();
  await row.getByText(/\/s$/).waitFor();
  expect(asked.map(({ names, stepSeconds }) => [names, stepSeconds])).toEqual([[['COMMITS'], 300]]);
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('menuitemcheckbox', { name: 'Transactions' }).or(page.getByRole('checkbox', { name: 'Transactions' })).first().click();
  await row.locator('polyline').waitFor({ state: 'detached' });
  expect(complaints).toEqual([]);
  await page.context().close();
});
