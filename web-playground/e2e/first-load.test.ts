import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, open } from './browser';
import { type Server, startServer } from './server';

/** Compressed, without the editor of GraphiQL. */
const LIMIT_BYTES = 270 * 1024;

let server: Server;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.clear();
});

test('the first load is small, and only from this server', async () => {
  const { page, complaints } = await open(browser, 'about:blank');
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Network.enable');
  let bytes = 0;
  devtools.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
  const urls: string[] = [];
  page.on('request', (request) => urls.push(request.url()));
  await page.goto(server.url);
  await page.getByText('Create your first instance').waitFor();
  await page.waitForLoadState('networkidle');
  console.log(`${urls.length} requests, ${(bytes / 1024).toFixed(0)} KB`);
  expect(bytes).toBeGreaterThan(50 * 1024);
  expect(bytes).toBeLessThan(LIMIT_BYTES);
  expect(urls.filter((url) => url.includes('monaco') || new URL(url).origin !== server.url)).toEqual([]);
  expect(complaints).toEqual([]);
});

test('assets are compressed and cached, the page itself is revalidated', async () => {
  const index = await fetch(server.url);
  expect(index.headers.get('cache-control')).toBe('no-cache');
  const script = /src="\.(\/assets\/[^"]+\.js)"/.exec(await index.text())?.[1];
  const contents = new Set<string>();
  for (const [accepted, encoding] of [['gzip, br', 'br'], ['gzip', 'gzip'], ['identity', null]] as const) {
    const asset = await fetch(server.url + script, { headers: { 'accept-encoding': accepted } });
    expect(asset.headers.get('content-encoding')).toBe(encoding);
    expect(asset.headers.get('cache-control')).toContain('immutable');
    contents.add(await asset.text());
  }
  expect(contents.size).toBe(1);
});

test('the policy allows scripts and connections of this server only', async () => {
  const policy = (await fetch(server.url)).headers.get('content-security-policy') ?? '';
  const directives = new Map(policy.split(';').map((directive) => [directive.trim().split(' ')[0], directive.trim().split(' ').slice(1).join(' ')]));
  expect(directives.get('default-src')).toBe("'none'");
  expect(directives.get('script-src')).toBe("'self'");
  expect(directives.get('connect-src')).toBe("'self'");
  expect(directives.get('frame-ancestors')).toBe("'none'");
  expect(policy).not.toMatch(/unsafe-eval|https?:|\*/);
});
