import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createInstance } from './api';
import { expectAccessible, launch, open, SCREENSHOTS } from './browser';
import { startFakeServer } from './fake-server';
import { type Server, startServer } from './server';

let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});

afterAll(() => browser?.close());

const panelOf = (page: Page) => page.getByRole('region', { name: 'Health', exact: true });

/** A canvas has no text that could be read: what is drawn is, as it is drawn. */
async function watchCanvas(page: Page): Promise<() => Promise<Set<string>>> {
  await page.evaluate(() => {
    const { fillText } = CanvasRenderingContext2D.prototype;
    const drawn: string[] = [];
    Object.assign(window, { drawn });
    CanvasRenderingContext2D.prototype.fillText = function (text, ...at) {
      drawn.push(text);
      fillText.call(this, text, ...at);
    };
  });
  return async () => {
    const drawn = (await page.evaluate(() => (window as unknown as { drawn: string[] }).drawn.splice(0))).filter((text) => /^\d\d:\d\d$/.test(text));
    return new Set(drawn);
  };
}

/** The axis of each window has different times, and so many at least. */
async function expectAxes(page: Page, times: () => Promise<Set<string>>): Promise<void> {
  for (const [hours, least] of [['24h', 4], ['48h', 2], ['1h', 4]] as const) {
    await times();
    await panelOf(page).getByText(hours, { exact: true }).click();
    await expect.poll(async () => (await times()).size, { timeout: 15_000 }).toBeGreaterThanOrEqual(least);
  }
}

describe('with a server', () => {
  let server: Server;

  beforeAll(async () => {
    server = await startServer();
  });

  afterAll(() => server?.clear());

  test.each(['light', 'dark'] as const)('the chart shows a window of time from the first check on, and the check at the pointer, %s', async (scheme) => {
    const id = await createInstance(server.url, `orders-${scheme}`);
    const { page, complaints } = await open(browser, `${server.url}/instances/${id}`, { scheme });
    const panel = panelOf(page);
    await panel.getByText(/^0 of [1-9]/).waitFor({ timeout: 60_000 });
    await expectAxes(page, await watchCanvas(page));
    await panel.getByText('Availability (24h)').waitFor();
    await panel.getByText('100%', { exact: true }).waitFor();
    await panel.getByText('No failed checks').waitFor();

    const chart = panel.locator('.uplot');
    const box = await chart.boundingBox();
    // The newest checks are at the right.
    await chart.hover({ position: { x: (box?.width ?? 0) - 40, y: 60 } });
    const tooltip = panel.getByRole('tooltip');
    await tooltip.getByText(/^[\d.]+ms$/).waitFor();
    await expect.poll(() => tooltip.locator('time').getAttribute('datetime')).toContain('T');
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});

describe('with a fake server', () => {
  const INSTANCE = '00000000-0000-7000-8000-000000000001';
  const policy = { intervalSeconds: 30, timeoutSeconds: 5 };
  let server: Awaited<ReturnType<typeof startFakeServer>>;
  let checks: object[] = [];
  let summary: { uptime: number | null } = { uptime: null };

  beforeAll(async () => {
    const instance = { id: INSTANCE, name: 'orders', state: 'RUNNING', health: 'HEALTHY', username: 'app', database: 'shop', healthCheckPolicy: policy };
    const fields = { instance: { ...instance, healthSummary: () => summary, healthChecks: () => ({ nodes: checks, pageInfo: { hasNextPage: false } }) } };
    server = await startFakeServer(1, { fields, subscriptions: { instance } });
  });

  afterAll(() => server?.stop());

  const check = (secondsAgo: number, failed = false) => ({
    cursor: String(1_000_000 - Math.round(secondsAgo * 10)),
    at: new Date(Date.now() - secondsAgo * 1000).toISOString(),
    status: failed ? 'UNHEALTHY' : 'HEALTHY',
    latencyMs: failed ? null : 1.5,
    loggedIn: failed ? null : false,
    error: failed ? { code: 'CONNECTION_REFUSED', message: 'nothing listens on 127.0.0.1:5432' } : null,
  });

  test('the chart has its axis before the first check', async () => {
    [checks, summary] = [[], { uptime: null }];
    const { page, complaints } = await open(browser, `${server.url}/instances/${INSTANCE}`);
    await panelOf(page).getByText('No checks yet').waitFor();
    await panelOf(page).locator('.uplot').waitFor();
    await expectAxes(page, await watchCanvas(page));
    await panelOf(page).getByText('Availability (24h)—').waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('availability is what the server weighs by time, not the share of the checks, whatever the chart shows', async () => {
    // An outage of 10 s, confirmed by 20 quick checks, in two hours: one in twelve checks failed.
    checks = [...Array.from({ length: 120 }, (_, index) => check(30 * index)), ...Array.from({ length: 20 }, (_, index) => check(3600 + index / 2, true)), ...Array.from({ length: 100 }, (_, index) => check(3620 + 30 * index))];
    summary = { uptime: 0.9986 };
    const { page, complaints } = await open(browser, `${server.url}/instances/${INSTANCE}`);
    const panel = panelOf(page);
    await panel.getByText('Availability (24h)99.86%').waitFor();
    await panel.getByText('24h', { exact: true }).click();
    await panel.getByText('20 of 240').waitFor();
    await panel.getByText('Availability (24h)99.86%').waitFor();
    // It is asked for again as time passes.
    summary = { uptime: 0.5 };
    await panel.getByText('Availability (24h)50.00%').waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test.each(['light', 'dark'] as const)('a check that logged in is marked, and its tooltip says so, %s', async (scheme) => {
    const at = (minute: number) => ({ ...check(60 * minute), ...(minute % 10 === 0 && { latencyMs: 7.5, loggedIn: true }) });
    [checks, summary] = [Array.from({ length: 60 }, (_, minute) => at(minute)), { uptime: 1 }];
    const { page, complaints } = await open(browser, `${server.url}/instances/${INSTANCE}`, { scheme });
    const panel = panelOf(page);
    await panel.getByText('◇ checks with a login: 6 of 60, p50 7.5ms').waitFor();
    const chart = panel.locator('.uplot');
    // What a canvas shows is not in the document: the diamonds are the only closed paths.
    await page.evaluate(() => {
      const { closePath } = CanvasRenderingContext2D.prototype;
      Object.assign(window, { diamonds: 0 });
      CanvasRenderingContext2D.prototype.closePath = function () {
        (window as unknown as { diamonds: number }).diamonds++;
        closePath.call(this);
      };
    });
    await panel.getByText('24h', { exact: true }).click();
    await panel.getByText('1h', { exact: true }).click();
    await expect.poll(() => page.evaluate(() => (window as unknown as { diamonds: number }).diamonds)).toBeGreaterThanOrEqual(6);
    const box = await chart.boundingBox();
    const tooltip = panel.getByRole('tooltip');
    // From the right edge, where the latest check is, to the left.
    const hovered = (text: string) =>
      expect.poll(async () => {
        for (let x = (box?.width ?? 0) - 4; x > (box?.width ?? 0) / 2; x -= 6) {
          await chart.hover({ position: { x, y: 60 } });
          if (await tooltip.getByText(text, { exact: true }).count()) return true;
        }
        return false;
      }).toBe(true);
    await hovered('7.5ms');
    await tooltip.getByText('◇ with a login').waitFor();
    await panel.scrollIntoViewIfNeeded();
    await expectAccessible(page);
    if (process.env.SCREENSHOTS) await panel.screenshot({ path: `${SCREENSHOTS}health-${scheme}.png` });
    await hovered('1.5ms');
    await expect.poll(() => tooltip.getByText('with a login').count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('the tooltip of a failed check says why it failed', async () => {
    [checks, summary] = [[check(1, true)], { uptime: 0 }];
    const { page, complaints } = await open(browser, `${server.url}/instances/${INSTANCE}`);
    const chart = panelOf(page).locator('.uplot');
    await chart.waitFor();
    const box = await chart.boundingBox();
    await chart.hover({ position: { x: (box?.width ?? 0) - 40, y: 60 } });
    const tooltip = panelOf(page).getByRole('tooltip');
    await tooltip.getByText('✕ Failed', { exact: true }).waitFor();
    await tooltip.getByText('Nothing listens on 127.0.0.1:5432').waitFor();
    await expect.poll(() => tooltip.locator('time').getAttribute('datetime')).toContain('T');
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
