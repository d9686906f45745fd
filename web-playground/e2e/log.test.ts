import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { expectAccessible, launch, open, screenshot } from './browser';
import { startFakeServer } from './fake-server';

const INSTANCE = '00000000-0000-7000-8000-000000000001';
const MANY = 100_000;
/** A longer task delays a response to input by several frames. */
const LONG_TASK_MS = 50;

interface Batch {
  cursor: string;
  gap: boolean;
  entries: object[];
}

/** What is in the log, and what was asked. */
let batches: Batch[] = [];
let waiting: (() => void)[] = [];
let asked: Record<string, unknown>[] = [];

let server: Awaited<ReturnType<typeof startFakeServer>>;
let browser: Browser;

function entry(number: number, more: object = {}) {
  const severity = number % 50 === 7 ? 'ERROR' : number % 10 === 3 ? 'WARNING' : 'LOG';
  const message = severity === 'ERROR' ? `division by zero in order ${number}` : `checkpoint complete: wrote ${number} buffers`;
  return { cursor: String(number), time: new Date(1_800_000_000_000 + number * 10).toISOString(), severity, message, pid: 4711, ...more };
}

function batch(from: number, count: number, gap = false): Batch {
  return { cursor: String(from + count - 1), gap, entries: Array.from({ length: count }, (_, index) => entry(from + index)) };
}

function send(more: Batch) {
  batches.push(more);
  for (const wake of waiting.splice(0)) wake();
}

async function* log(variables: Record<string, unknown>) {
  asked.push(variables);
  const of = batches;
  for (let index = of.findIndex(({ cursor }) => Number(cursor) > Number(variables.after ?? -1)); of === batches; ) {
    if (index < 0) index = of.length;
    while (index < of.length) yield of[index++];
    await new Promise<void>((resolve) => waiting.push(resolve));
  }
}

beforeAll(async () => {
  const fields = { controlPlane: { caller: { role: 'OPERATOR' } } };
  const instance = { id: INSTANCE, name: 'orders', state: 'RUNNING', health: 'HEALTHY', username: 'app', database: 'shop' };
  [server, browser] = await Promise.all([startFakeServer(1, { fields, subscriptions: { instance, instanceLogs: log } }), launch()]);
});

beforeEach(() => {
  [batches, asked] = [[], []];
});

afterAll(async () => {
  await browser?.close();
  server?.stop();
});

async function panelOf(page: Page) {
  const panel = page.getByRole('region', { name: 'Log', exact: true });
  await panel.scrollIntoViewIfNeeded();
  return panel;
}

test.each(['light', 'dark'] as const)('entries are shown, opened, filtered and followed, %s', async (scheme) => {
  const failed = entry(101, { severity: 'ERROR', sqlstate: '23505', message: 'duplicate key', detail: 'Key (id)=(7) already exists.', statement: 'INSERT INTO item\n  VALUES (7)', username: 'app', database: 'shop' });
  batches = [batch(1, 100), { cursor: '101', gap: false, entries: [failed] }];
  const { page, complaints } = await open(browser, `${server.url}/instances/${INSTANCE}?tab=logs`, { scheme });
  const panel = await panelOf(page);
  await panel.getByText('101 entries', { exact: true }).waitFor();
  // The newest is in view.
  const row = panel.getByRole('button', { name: /duplicate key/ });
  await row.click();
  await panel.getByText('Key (id)=(7) already exists.').waitFor();
  await panel.getByText('app · shop').waitFor();
  await expectAccessible(page);
  await screenshot(page, `log-${scheme}`, false);
  await row.click();
  await expect.poll(() => panel.getByText('Key (id)=(7) already exists.').count()).toBe(0);

  await panel.getByLabel('Text of the entries').fill('ZERO');
  await panel.getByText('2 of 101 entries').waitFor();
  await expect.poll(() => panel.getByRole('listitem').count()).toBe(2);
  send(batch(102, 60));
  await panel.getByText('4 of 161 entries').waitFor();
  await panel.getByLabel('Text of the entries').fill('nowhere');
  await panel.getByText('No entry contains this text').waitFor();
  await panel.getByLabel('Text of the entries').fill('');

  // What comes while it is paused is read afterwards, from the cursor.
  await panel.getByRole('button', { name: 'Pause' }).click();
  await panel.getByRole('button', { name: 'Follow' }).waitFor();
  send(batch(162, 10, true));
  await page.waitForTimeout(300);
  await expect.poll(() => panel.getByText('161 entries', { exact: true }).count()).toBe(1);
  await panel.getByRole('button', { name: 'Follow' }).click();
  await expect.poll(() => asked.at(-1)).toMatchObject({ after: '161', severity: null });
  await panel.getByText(/^17\d entries$/).waitFor();
  await panel.getByText(/Entries are missing here/).waitFor();

  await panel.getByLabel('Severity of the entries').first().click();
  await page.getByRole('option', { name: 'Error and above' }).click();
  await expect.poll(() => asked.at(-1)).toMatchObject({ after: null, severity: 'ERROR' });
  await expectAccessible(page);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test(`${MANY} entries scroll smoothly`, async () => {
  batches = Array.from({ length: MANY / 500 }, (_, index) => batch(index * 500 + 1, 500));
  const { page, complaints } = await open(browser, `${server.url}/instances/${INSTANCE}?tab=logs`);
  const panel = await panelOf(page);
  await panel.getByText('100,000 entries').waitFor({ timeout: 60_000 });
  await expect.poll(() => panel.getByRole('listitem').count()).toBeLessThan(60);
  await page.waitForTimeout(1_000);
  const devtools = await page.context().newCDPSession(page);
  // Processor time, which does not include waiting for other programs.
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const busy = async () => (await devtools.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0;
  const before = await busy();
  const frames = await page.evaluate(measure, { milliseconds: 6_000, longTask: LONG_TASK_MS });
  const perFrame = (((await busy()) - before) * 1000) / frames.count;
  console.log(
    `${(frames.count / 6).toFixed(1)} frames/s; frame p50 ${frames.p50.toFixed(1)} p99 ${frames.p99.toFixed(1)} max ${frames.max.toFixed(1)} ms; ` +
      `${frames.longTasks} tasks over ${LONG_TASK_MS} ms; ${perFrame.toFixed(1)} ms of the main thread for a frame`,
  );
  // So much time is from one frame to the next. Other programs on the machine delay single ones.
  expect(perFrame).toBeLessThan(16.7);
  expect(frames.p50).toBeLessThan(25);

  // Whoever reads further up stays there when new entries come.
  const scroller = panel.getByRole('group', { name: 'Entries of the log, scrollable' });
  const at = await scroller.evaluate((element) => {
    element.scrollTop = element.scrollHeight / 2;
    return element.scrollTop;
  });
  send(batch(MANY + 1, 500));
  await panel.getByText('100,500 entries').waitFor();
  expect(Math.abs((await scroller.evaluate((element) => element.scrollTop)) - at)).toBeLessThan(30);
  await scroller.evaluate((element) => (element.scrollTop = element.scrollHeight));
  await panel.getByRole('button', { name: /wrote 100500 buffers/ }).waitFor();
  send(batch(MANY + 501, 500));
  await panel.getByRole('button', { name: /wrote 101000 buffers/ }).waitFor();

  const began = Date.now();
  await panel.getByLabel('Text of the entries').fill('order 50007');
  await panel.getByText('1 of 101,000 entries').waitFor();
  console.log(`filtered after ${Date.now() - began} ms`);
  expect(complaints).toEqual([]);
  await page.context().close();
});

/** Runs in the page: scrolls through the log and measures every frame. */
async function measure({ milliseconds, longTask }: { milliseconds: number; longTask: number }) {
  const scroller = document.querySelector('[aria-label="Entries of the log, scrollable"]');
  if (!scroller) throw new Error('there is no log');
  let longTasks = 0;
  const observer = new PerformanceObserver((list) => {
    longTasks += list.getEntries().filter(({ duration }) => duration > longTask).length;
  });
  observer.observe({ type: 'longtask' });
  const times: number[] = [];
  const began = performance.now();
  let last = began;
  while (last - began < milliseconds) {
    const now = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
    times.push(now - last);
    last = now;
    const room = scroller.scrollHeight - scroller.clientHeight;
    scroller.scrollTop = (room / 2) * (1 - Math.cos((now - began) / 1000));
  }
  observer.disconnect();
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return { count: times.length, p50: at(0.5), p99: at(0.99), max: at(1), longTasks };
}
