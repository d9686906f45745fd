import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createInstance } from './api';
import { expectAccessible, launch, open } from './browser';
import { type Server, startServer } from './server';

let server: Server;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.clear();
});

test.each(['light', 'dark'] as const)('the chart shows a window of time from the first check on, and the check at the pointer, %s', async (scheme) => {
  const id = await createInstance(server.url, `orders-${scheme}`);
  const { page, complaints } = await open(browser, `${server.url}/instances/${id}`, { scheme });
  const panel = page.getByRole('region', { name: 'Health', exact: true });
  await panel.getByText(/^0 of [1-9]/).waitFor({ timeout: 60_000 });
  // A canvas has no text that could be read: what is drawn is, as it is drawn.
  await page.evaluate(() => {
    const { fillText } = CanvasRenderingContext2D.prototype;
    const drawn: string[] = [];
    Object.assign(window, { drawn });
    CanvasRenderingContext2D.prototype.fillText = function (text, ...at) {
      drawn.push(text);
      fillText.call(this, text, ...at);
    };
  });
  const times = async () => {
    const drawn = (await page.evaluate(() => (window as unknown as { drawn: string[] }).drawn.splice(0))).filter((text) => /^\d\d:\d\d$/.test(text));
    return new Set(drawn);
  };
  for (const [hours, least] of [['24h', 4], ['48h', 2], ['1h', 4]] as const) {
    await panel.getByText(hours, { exact: true }).click();
    await panel.getByText(`Availability (${hours})`).waitFor();
    await times();
    await expect.poll(async () => (await times()).size, { timeout: 15_000 }).toBeGreaterThanOrEqual(least);
  }
  await panel.getByText('100%', { exact: true }).waitFor();
  await panel.getByText('No failed checks').waitFor();

  const chart = panel.locator('.uplot');
  const box = await chart.boundingBox();
  // The newest checks are at the right.
  await chart.hover({ position: { x: (box?.width ?? 0) - 40, y: 60 } });
  const tooltip = panel.getByRole('tooltip');
  await tooltip.getByText(/^[\d.]+ms$/).waitFor();
  expect(await tooltip.locator('time').getAttribute('datetime')).toContain('T');
  await expectAccessible(page);
  expect(complaints).toEqual([]);
  await page.context().close();
});
