import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The real server with an embedded metadata database and its own data directory. */
export interface Server {
  url: string;
  stop(): Promise<void>;
  /** With the role `api` it accepts requests and runs no workflows. */
  start(role?: 'all' | 'api'): Promise<void>;
  /** The process id of the PostgreSQL server of an instance. */
  postmaster(instanceId: string): Promise<number>;
  /** Creates an API token; returns its secret. */
  token(role: 'viewer' | 'operator' | 'admin'): Promise<string>;
  /** Stops all processes of the data directory, and removes it. */
  clear(): Promise<void>;
}

const READY_WITHIN_MS = 60_000;

export async function startServer(options: { access?: 'local' | 'tokens'; basePath?: string; backups?: boolean; pgBin?: string } = {}): Promise<Server> {
  const binary = process.env.TOYGRES_BIN ?? join(import.meta.dirname, '../../target/debug/toygres');
  // Readable by other users, because PostgreSQL refuses to run as root.
  const directory = await mkdtemp(join(tmpdir(), 'toygres-e2e-'));
  await chmod(directory, 0o755);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;

  async function start(role: 'all' | 'api' = 'all'): Promise<void> {
    const { access = 'local', basePath = '', backups = false, pgBin = process.env.TOYGRES_PG_BIN } = options;
    const started = spawn(binary, ['serve', '--listen', `127.0.0.1:${port}`, '--data-dir', directory, '--access', access], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TOYGRES_ROLE: role, TOYGRES_BASE_PATH: basePath, TOYGRES_BACKUPS: String(backups), ...(pgBin && { TOYGRES_PG_BIN: pgBin }) },
    });
    child = started;
    let log = '';
    for (const stream of [started.stdout, started.stderr]) stream.on('data', (chunk) => (log = (log + String(chunk)).slice(-20_000)));
    const until = Date.now() + READY_WITHIN_MS;
    while (!(await isReady(url))) {
      if (started.exitCode !== null || Date.now() > until) throw new Error(`${binary} did not become ready:\n${log}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async function stop(): Promise<void> {
    if (!child || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child?.once('exit', resolve));
    child.kill('SIGTERM');
    await gone;
  }

  const postmaster = (instanceId: string) => readPid(join(directory, 'instances', instanceId, 'data'));

  async function token(role: string): Promise<string> {
    const { stdout } = await promisify(execFile)(binary, ['token', 'create', '--name', role, '--role', role, '--data-dir', directory]);
    return stdout.trim().split(/\s+/).at(-1) ?? '';
  }

  async function clear(): Promise<void> {
    await stop();
    const instances = await readdir(join(directory, 'instances')).catch(() => []);
    for (const data of [...instances.map((id) => join('instances', id, 'data')), 'metadata/data']) {
      const pid = await readPid(join(directory, data)).catch(() => undefined);
      if (pid) await kill(pid);
    }
    // The store of backups is next to the data directory.
    for (const path of [directory, `${directory}-backups`]) await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  await start();
  return { url, start, stop, postmaster, token, clear };
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function readPid(data: string): Promise<number> {
  return Number((await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')[0]);
}

/** Immediate shutdown of a PostgreSQL server, which keeps running when the Toygres server stops. */
async function kill(pid: number): Promise<void> {
  try {
    for (process.kill(pid, 'SIGQUIT'); ; process.kill(pid, 0)) await new Promise((resolve) => setTimeout(resolve, 50));
  } catch {
    // The process is gone.
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (!address || typeof address === 'string') throw new Error('no port');
  return address.port;
}
