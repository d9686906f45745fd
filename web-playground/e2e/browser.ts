import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

/** The browser that `ensure_chromium` of scripts/lib.sh found, or that of Debian. */
const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS });
}

/** A browser whose user has blocked all site data, which is a setting of its profile, a directory that `profile` names. */
export async function launchWithoutSiteData(profile: string): Promise<BrowserContext> {
  await mkdir(join(profile, 'Default'), { recursive: true });
  // 2 blocks the storage of pages together with their cookies.
  const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
  await writeFile(join(profile, 'Default/Preferences'), JSON.stringify(preferences));
  return chromium.launchPersistentContext(profile, { executablePath: EXECUTABLE, args: ARGUMENTS, headless: true });
}

export interface Watched {
  page: Page;
  /** Exceptions, console errors, violations of the Content-Security-Policy, and requests to other hosts. */
  complaints: string[];
}

export async function open(browser: Browser, url: string, options: { scheme?: 'light' | 'dark'; width?: number; height?: number; timezone?: string } = {}): Promise<Watched> {
  const { scheme = 'light', width = 1280, height = 860, timezone = 'UTC' } = options;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    locale: 'en-GB',
    timezoneId: timezone,
    reducedMotion: 'reduce',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const watched = watch(await context.newPage());
  await watched.page.goto(url);
  return watched;
}

/** Collects the complaints of a page that shows nothing yet. */
export function watch(page: Page): Watched {
  page.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // An unavailable server is not an error of the page.
    if (message.type() === 'error' && !/ERR_CONNECTION|WebSocket connection/.test(message.text())) complaints.push(message.text());
  });
  page.on('request', (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && hostname !== '127.0.0.1') complaints.push(`request to another host: ${request.url()}`);
  });
  return { page, complaints };
}

/** Shows another section of the page of an instance. */
export function section(page: Page, name: string): Promise<void> {
  return page.getByRole('navigation', { name: /^Sections of/ }).getByRole('link', { name, exact: true }).click();
}

/** Waits until the editor of GraphiQL contains `text`. */
export function shown(page: Page, text: string): Promise<void> {
  return page.locator('.graphiql-query-editor .view-lines').getByText(text).first().waitFor();
}

/** Executes the query in GraphiQL. A click has no effect before the schema is loaded, so it is repeated until there is a result. */
export async function execute(page: Page): Promise<void> {
  const result = page.locator('.result-window');
  const began = async () => (await page.getByRole('button', { name: /Stop query/ }).isVisible()) || (await result.innerText()).trim() !== '';
  await expect
    .poll(
      async () => {
        if (!(await began())) await page.getByRole('button', { name: /Execute query/ }).click();
        await page.waitForTimeout(500);
        return began();
      },
      { timeout: 30_000 },
    )
    .toBe(true);
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** axe reports nothing on the current page. */
export async function expectAccessible(page: Page, exclude: string[] = []): Promise<void> {
  // Elements that are fading in have less contrast, and a slow machine takes its time. Those that turn for ever are not waited for.
  await page.waitForTimeout(400);
  await page.waitForFunction(() =>
    document.getAnimations().every((animation) => animation.playState !== 'running' || animation.effect?.getComputedTiming().endTime === Infinity),
  );
  await page.evaluate(axe);
  const violations = await page.evaluate(async (exclude) => {
    const { axe } = window as unknown as { axe: { run(context: object): Promise<{ violations: Violation[] }> } };
    return (await axe.run({ include: [['body']], exclude: exclude.map((selector) => [selector]) })).violations;
  }, exclude);
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 160)} (${failureSummary})`).join('\n  ')}`);
  expect(found).toEqual([]);
}

/** axe reports nothing in either colour scheme. The page goes on in the light one. */
export async function expectAccessibleInBothThemes(page: Page, exclude: string[] = []): Promise<void> {
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    await expectAccessible(page, exclude);
  }
}

interface Violation {
  id: string;
  nodes: { html: string; failureSummary: string }[];
}

export const SCREENSHOTS = new URL('../../docs/screenshots/', import.meta.url).pathname;

/** For the documentation; only with SCREENSHOTS=1, so that a test changes no files. */
export async function screenshot(page: Page, name: string, fullPage: boolean): Promise<void> {
  if (!process.env.SCREENSHOTS) return;
  await page.mouse.move(0, 0);
  await page.screenshot({ path: `${SCREENSHOTS}${name}.png`, fullPage });
}
