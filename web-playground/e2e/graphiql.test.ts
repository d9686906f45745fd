import type { Browser, Page } from 'playwright-core';
import { getOperationAST, parse } from 'graphql';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createInstance, postgresVersions } from './api';
import { execute, launch, open, section, shown } from './browser';
import { type Server, startServer } from './server';

// That of this machine, and one to upgrade to: scripts/install-test-postgres.
const PG_BIN = `${process.env.TOYGRES_PG_BIN}:${process.env.TOYGRES_TEST_POSTGRES}/18-complete/bin`;

let server: Server;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer({ backups: true, pgBin: PG_BIN }), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.clear();
});

test('a subscription in GraphiQL shows events', async () => {
  const { page, complaints } = await open(browser, `${server.url}/graphiql`);
  await shown(page, 'instances');
  await page.getByRole('tab', { name: 'WatchEvents' }).click();
  await shown(page, 'instanceEvents');
  await execute(page);
  await page.getByRole('button', { name: /Stop query/ }).waitFor();
  await createInstance(server.url, 'watched');
  const answer = page.locator('.result-window');
  await expect.poll(() => answer.innerText(), { timeout: 30_000 }).toContain('HEALTH_CHANGED');
  await page.getByRole('button', { name: /Stop query/ }).click();
  expect(complaints).toEqual([]);
});

test('the examples name the newest instance, so that they work as they are', async () => {
  const id = await createInstance(server.url, 'orders', [], undefined, { postgresVersion: (await postgresVersions(server.url)).at(-1) });
  const { page } = await open(browser, `${server.url}/graphiql`);
  await shown(page, 'instances');
  await page.getByRole('tab', { name: 'WatchInstance', exact: true }).click();
  await shown(page, 'instance');
  await expect.poll(() => page.locator('.graphiql-editor-tool').innerText()).toContain(id);
  await execute(page);
  await expect.poll(() => page.locator('.result-window').innerText(), { timeout: 30_000 }).toContain('orders');
  await page.context().close();
});

interface Example {
  name: string;
  kind: string;
  query: string;
  variables: Record<string, unknown>;
}

/** The tabs of GraphiQL, as it keeps them in the browser. */
async function examples(page: Page): Promise<Example[]> {
  const read = () => page.evaluate(() => localStorage.getItem('graphiql:tabState') ?? '{"tabs":[]}');
  await expect.poll(async () => JSON.parse(await read()).tabs.length).toBeGreaterThan(40);
  const { tabs } = JSON.parse(await read()) as { tabs: { query: string; variables: string | null }[] };
  return tabs.map(({ query, variables }) => {
    const operation = getOperationAST(parse(query));
    return { name: operation?.name?.value ?? '', kind: operation?.operation ?? '', query, variables: JSON.parse(variables || '{}') };
  });
}

test('every example is one that the server accepts, but what would lose something has no ID', async () => {
  const { page } = await open(browser, server.url);
  await page.getByRole('link', { name: 'orders' }).click();
  await section(page, 'Backups');
  await page.getByRole('region', { name: 'Backups' }).getByText('Protected. Kept for 7 days').waitFor({ timeout: 90_000 });
  // The page of GraphiQL is new to this browser.
  await page.goto(`${server.url}/graphiql`);
  await shown(page, 'instances');
  const all = await examples(page);
  const problems: string[] = [];
  for (const example of all) {
    const { name, kind, variables } = example;
    // Only administrators can ask for the ID of a webhook.
    if (/^(Delete|Drop|Revoke|CancelQuery|TerminateSession|RotateWebhook|TestWebhook|UpdateWebhook)/.test(name)) {
      expect(JSON.stringify(variables), name).toMatch(/"(id|instanceId|sessionId)":""/);
      continue;
    }
    const answer = kind === 'subscription' ? await first(example) : await post(example);
    if (answer) problems.push(`${name}: ${answer}`);
  }
  expect(problems).toEqual([]);
  await page.context().close();
}, 180_000);

/** What is wrong with the request. That another operation goes on is not. */
async function post({ query, variables }: Example): Promise<string | undefined> {
  const response = await fetch(`${server.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query, variables }) });
  const { data, errors } = (await response.json()) as { data?: Record<string, { userErrors?: { code: string }[] }>; errors?: object[] };
  if (errors) return JSON.stringify(errors);
  const found = Object.values(data ?? {}).flatMap((payload) => payload?.userErrors ?? []);
  const wrong = found.filter(({ code }) => code !== 'CONFLICT');
  return wrong.length ? JSON.stringify(wrong) : undefined;
}

/** What is wrong with a subscription. One without an event is not. */
function first({ query, variables }: Example): Promise<string | undefined> {
  return new Promise((resolve) => {
    const client = createClient({ url: `${server.url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0 });
    const end = (problem?: string) => {
      resolve(problem);
      clearTimeout(quiet);
      void client.dispose();
    };
    const quiet = setTimeout(end, 3_000);
    client.subscribe(
      { query, variables },
      { next: ({ errors }) => end(errors && JSON.stringify(errors)), error: (error) => end(JSON.stringify(error)), complete: () => end() },
    );
  });
}

test('on a phone, the result has the width of the page', async () => {
  const { page } = await open(browser, `${server.url}/graphiql`, { width: 390, height: 844 });
  await shown(page, 'instances');
  const [query, result] = await Promise.all([page.locator('.graphiql-editors').boundingBox(), page.locator('.graphiql-response').boundingBox()]);
  expect(result?.width ?? 0).toBeGreaterThan(300);
  expect(result?.height ?? 0).toBeGreaterThan(200);
  expect(result?.y ?? 0, 'below the query').toBeGreaterThanOrEqual((query?.y ?? 0) + (query?.height ?? 0));
  await expect.poll(() => page.getByRole('heading', { level: 1 }).textContent()).toBe('GraphiQL');
  await page.context().close();
});
