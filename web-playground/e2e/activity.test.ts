import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { expectAccessible, launch, open, screenshot } from './browser';
import { startFakeServer } from './fake-server';

const INSTANCE = '00000000-0000-7000-8000-000000000001';

const HOLDER = {
  id: '4711-hol8m4zmap',
  pid: 4711,
  username: 'app',
  database: 'shop',
  applicationName: 'migration',
  clientAddress: '10.0.0.7',
  state: 'IDLE_IN_TRANSACTION',
  waitEventType: 'Client',
  waitEvent: 'ClientRead',
  blockedBy: [],
  transactionSeconds: 312,
  stateSeconds: 310,
  statement: 'LOCK TABLE item',
};
const WAITER = {
  ...HOLDER,
  id: '4712-hol8m4zmaq',
  pid: 4712,
  applicationName: 'shop',
  state: 'ACTIVE',
  waitEventType: 'Lock',
  waitEvent: 'relation',
  blockedBy: [4711],
  statementSeconds: 12,
  statement: "UPDATE item SET price = 7 WHERE id IN (SELECT id FROM item WHERE name LIKE '%a%' ORDER BY id)",
};

/** What the fake server has, and what it was asked. */
let sessions: object[] = [];
let reason: object | null = null;
let asked: unknown[] = [];
const orders: unknown[] = [];

let server: Awaited<ReturnType<typeof startFakeServer>>;
let browser: Browser;

beforeAll(async () => {
  const query = { queryId: '7', text: 'SELECT * FROM item WHERE id = $1', username: 'app', database: 'shop', calls: '12345', totalTimeMs: 98765, meanTimeMs: 8, rows: '12345', ioBytes: '4200000', timeShare: 0.75 };
  const mutate = (name: string) => ({ input }: { input: { sessionId: string } }) => {
    asked.push([name, input.sessionId]);
    const found = sessions.includes(HOLDER) && sessions.includes(WAITER);
    if (!found) return { userErrors: [{ code: 'NOT_FOUND', field: ['sessionId'], message: 'there is no such session, or not any more' }] };
    sessions = name === 'terminateSession' ? [WAITER] : [HOLDER];
    return { ended: true };
  };
  const fields = {
    controlPlane: { caller: { role: 'OPERATOR' } },
    instance: {
      activity: () => ({ totalSessions: sessions.length, sessions, reason }),
      topQueries: ({ orderBy }: { orderBy: string }) => {
        orders.push(orderBy);
        return { since: new Date().toISOString(), evictions: '0', queries: [query, { ...query, queryId: '8', timeShare: 0.2 }], reason };
      },
    },
    cancelQuery: mutate('cancelQuery'),
    terminateSession: mutate('terminateSession'),
  };
  const instance = { id: INSTANCE, name: 'orders', state: 'RUNNING', health: 'HEALTHY', username: 'app', database: 'shop' };
  [server, browser] = await Promise.all([startFakeServer(1, { fields, subscriptions: { instance } }), launch()]);
});

beforeEach(() => {
  [sessions, reason, asked] = [[WAITER, HOLDER], null, []];
});

afterAll(async () => {
  await browser?.close();
  server?.stop();
});

test.each(['light', 'dark'] as const)('who blocks whom is seen, and ended, %s', async (scheme) => {
  const { page, complaints } = await open(browser, `${server.url}/instances/${INSTANCE}?tab=queries`, { scheme });
  const panel = page.getByRole('region', { name: 'Activity' });
  await panel.scrollIntoViewIfNeeded();
  await panel.getByText('2 sessions').waitFor();
  const row = panel.getByRole('row', { name: /4712/ });
  await row.getByText('blocked by pid 4711 (app)').waitFor();
  await row.getByText('waits: Lock · relation').waitFor();
  await expect.poll(() => panel.getByRole('button', { name: 'Cancel the statement of pid 4711' }).count()).toBe(0);
  await expectAccessible(page);
  await screenshot(page, `activity-${scheme}`, false);

  await panel.getByRole('button', { name: 'End the session of pid 4711' }).click();
  const dialog = page.getByRole('dialog', { name: 'End the session of pid 4711?' });
  await dialog.getByText('LOCK TABLE item').waitFor();
  await expectAccessible(page);
  expect(asked).toEqual([]);
  await dialog.getByRole('button', { name: 'End the session' }).click();
  await dialog.waitFor({ state: 'detached' });
  await panel.getByText('1 session', { exact: true }).waitFor();
  expect(asked).toEqual([['terminateSession', HOLDER.id]]);

  // What is gone is said in the dialog.
  await panel.getByRole('button', { name: 'Cancel the statement of pid 4712' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the statement' }).click();
  await page.getByRole('dialog').getByText('there is no such session, or not any more').waitFor();
  expect(asked.at(-1)).toEqual(['cancelQuery', WAITER.id]);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test('sessions are read again every five seconds unless it is paused, and a reason is said', async () => {
  const { page, complaints } = await open(browser, 'about:blank');
  await page.clock.install();
  await page.goto(`${server.url}/instances/${INSTANCE}?tab=queries`);
  const panel = page.getByRole('region', { name: 'Activity' });
  await panel.scrollIntoViewIfNeeded();
  await panel.getByText('2 sessions').waitFor();
  sessions = [HOLDER];
  await page.clock.fastForward(5_000);
  await panel.getByText('1 session', { exact: true }).waitFor();
  await panel.getByRole('button', { name: 'Pause' }).click();
  await panel.getByRole('button', { name: 'Follow' }).waitFor();
  sessions = [];
  await page.clock.fastForward(60_000);
  await expect.poll(() => panel.getByText('1 session', { exact: true }).count()).toBe(1);
  await panel.getByRole('button', { name: 'Follow' }).click();
  await panel.getByText('No client is connected').waitFor();
  reason = { code: 'CONNECTION_TIMEOUT', message: 'no answer from 127.0.0.1:5432 within 5 s' };
  await page.clock.fastForward(5_000);
  await panel.getByText('No answer from 127.0.0.1:5432 within 5 s').waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test('queries have an order', async () => {
  const { page, complaints } = await open(browser, `${server.url}/instances/${INSTANCE}?tab=queries`);
  const panel = page.getByRole('region', { name: 'Top queries' });
  await panel.scrollIntoViewIfNeeded();
  const row = panel.getByRole('row', { name: /75\.0%/ });
  await row.getByText('SELECT * FROM item WHERE id = $1').waitFor();
  for (const text of ['1m 39s', '8.0ms', '12.3k', '4.2 MB']) await row.getByText(text, { exact: true }).first().waitFor();
  expect(orders.at(-1)).toBe('TOTAL_TIME');
  await panel.getByLabel('Order of the queries').first().click();
  await page.getByRole('option', { name: 'Mean time' }).click();
  await expect.poll(() => orders.at(-1)).toBe('MEAN_TIME');
  await expectAccessible(page);
  expect(complaints).toEqual([]);
  await page.context().close();
});
