import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { startFakeServer } from './fake-server';
import { launch, open } from './browser';

const INSTANCES = 1_000;
const CHANGES_PER_SECOND = 50;
/** MANY_SECONDS=600 is a long run, which shows whether memory grows. */
const SECONDS = Number(process.env.MANY_SECONDS ?? 10);
/** A longer task delays a response to input by several frames. */
const LONG_TASK_MS = 50;

let server: Awaited<ReturnType<typeof startFakeServer>>;
let browser: Browser;

beforeAll(async () => {
  // For a viewer, a row has less.
  const fields = { controlPlane: { caller: { role: 'OPERATOR' } } };
  [server, browser] = await Promise.all([startFakeServer(INSTANCES, { fields }), launch()]);
});

afterAll(async () => {
  await browser?.close();
  server?.stop();
});

test(`${INSTANCES} instances with ${CHANGES_PER_SECOND} changes/s stay smooth, and memory does not grow`, async () => {
  const { page } = await open(browser, server.url);
  await page.getByText(`${INSTANCES} instances`).waitFor();
  await expect.poll(() => page.getByRole('row').count()).toBeLessThan(60);

  const devtools = await page.context().newCDPSession(page);
  // Processor time, which does not include waiting for other programs.
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const measured = async () => {
    await devtools.send('HeapProfiler.collectGarbage');
    return (await devtools.send('Performance.getMetrics')).metrics;
  };
  const metric = (metrics: { name: string; value: number }[], name: string) => metrics.find((entry) => entry.name === name)?.value ?? 0;

  const sample = async (name: string, seconds: number) => {
    const before = await measured();
    const [sentBefore, began] = [server.sent(), Date.now()];
    const frames = await page.evaluate(measure, seconds * 1000);
    const took = (Date.now() - began) / 1000;
    const after = await measured();
    const grown = (metric(after, 'JSHeapUsedSize') - metric(before, 'JSHeapUsedSize')) / 2 ** 20;
    const busy = (metric(after, 'TaskDuration') - metric(before, 'TaskDuration')) / took;
    console.log(
      `${name}: ${((server.sent() - sentBefore) / took).toFixed(0)} changes/s; ${(frames.count / took).toFixed(1)} frames/s; ` +
        `frame p50 ${frames.p50.toFixed(1)} p99 ${frames.p99.toFixed(1)} max ${frames.max.toFixed(1)} ms; ` +
        `${frames.longTasks} tasks over ${LONG_TASK_MS} ms (longest ${frames.longest.toFixed(0)} ms); main thread ${(busy * 100).toFixed(1)} % busy; ` +
        `heap ${(metric(after, 'JSHeapUsedSize') / 2 ** 20).toFixed(1)} MiB, ${grown >= 0 ? '+' : ''}${grown.toFixed(2)} MiB; ${metric(after, 'Nodes')} nodes`,
    );
    return { grown, busy };
  };

  await page.waitForTimeout(2_000);
  const idle = await sample('scrolling only', 10);
  server.change(CHANGES_PER_SECOND);
  await page.waitForTimeout(2_000);
  const live = await sample('with changes', SECONDS);
  // Processor time and memory are checked, not frames, which other programs on the machine delay. Frames are printed.
  const perChange = ((live.busy - idle.busy) * 1000) / CHANGES_PER_SECOND;
  console.log(`a change takes ${perChange.toFixed(1)} ms of the main thread`);
  expect(perChange).toBeLessThan(8);
  expect(live.grown).toBeLessThan(8);
}, (SECONDS + 60) * 1000);

/** Runs in the page: scrolls up and down and measures every frame. */
async function measure(milliseconds: number) {
  let longTasks = 0;
  let longest = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      longTasks++;
      longest = Math.max(longest, duration);
    }
  });
  observer.observe({ type: 'longtask' });
  const times: number[] = [];
  const began = performance.now();
  let last = began;
  while (last - began < milliseconds) {
    const now = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
    times.push(now - last);
    last = now;
    const room = document.documentElement.scrollHeight - innerHeight;
    window.scrollTo(0, (room / 2) * (1 - Math.cos((now - began) / 3000)));
  }
  observer.disconnect();
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor((times.length - 1) * share)] ?? 0;
  return { count: times.length, p50: at(0.5), p99: at(0.99), max: at(1), longTasks, longest };
}
