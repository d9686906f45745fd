import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deleteInstance } from './api';
import { type Server, startServer } from './server';

const PLAYGROUND = join(import.meta.dirname, '..');

let server: Server;
let program: ChildProcess | undefined;

beforeAll(async () => {
  server = await startServer();
});

afterAll(async () => {
  program?.kill();
  await server?.clear();
});

test('a program outside of the playground resumes across a restart of the server', async () => {
  await promisify(execFile)(join(PLAYGROUND, 'node_modules/.bin/tsc'), ['--project', join(import.meta.dirname, 'outside')]);
  program = spawn(process.execPath, [join(PLAYGROUND, 'node_modules/.outside/e2e/outside/follow.js'), server.url], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (!program.stdout) throw new Error('stdout is piped');
  const ended = new Promise<number | null>((resolve) => program?.once('exit', resolve));

  let id = '';
  const events: { cursor: string; type: string; to: string | null }[] = [];
  let restarted = false;
  for await (const line of createInterface({ input: program.stdout })) {
    if (!id) {
      id = line;
      continue;
    }
    const event = JSON.parse(line);
    events.push(event);
    if (event.type === 'HEALTH_CHANGED' && event.to === 'HEALTHY' && !restarted) {
      restarted = true;
      await server.stop();
      await server.start();
      await deleteInstance(server.url, id);
    }
  }
  expect(await ended).toBe(0);

  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ instanceEvents: instance(id: "' + id + '") { events(first: 200) { nodes { cursor type to } } } }' }),
  });
  const { data } = (await response.json()) as { data: { instanceEvents: { events: { nodes: { cursor: string; to: string | null }[] } } } };
  const all = data.instanceEvents.events.nodes.map(({ cursor }) => cursor);
  // The program exits after the event DELETED, which precedes the end of the operation.
  expect(events.map(({ cursor }) => cursor)).toEqual(all.slice(0, events.length));
  expect(events.at(-1)?.to).toBe('DELETED');
});
