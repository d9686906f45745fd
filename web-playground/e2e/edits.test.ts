import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { expectAccessibleInBothThemes, launch, open } from './browser';
import { startFakeServer } from './fake-server';

const INSTANCE = '00000000-0000-7000-8000-000000000001';

const BEFORE = {
  id: INSTANCE,
  revision: '1',
  name: 'orders',
  state: 'RUNNING',
  health: 'HEALTHY',
  postgresVersion: '17',
  upgradeTargets: [{ version: '18' }],
  storageGb: 10,
  cpuMillis: 500,
  memoryMb: 512,
  username: 'app',
  database: 'shop',
  exposure: { type: 'CLUSTER', sourceRanges: [] },
  parameters: [{ name: 'work_mem', value: '4MB', pendingRestart: false }],
  certificate: { notAfter: '2030-01-01T00:00:00Z' },
  endpoint: { host: '127.0.0.1', port: 5432 },
  labels: [{ key: 'team', value: 'shop' }],
  idleSuspendMinutes: 60,
  maintenanceWindow: { weekday: 'SUNDAY', startTime: '03:00', durationMinutes: 60 },
  storageAutoGrow: { thresholdPercent: 80, maxGb: 50 },
  healthCheckPolicy: { intervalSeconds: 30, timeoutSeconds: 5 },
  availableOperations: ['RESTART', 'RESIZE', 'SET_PARAMETERS', 'SUSPEND', 'UPGRADE', 'ROTATE_PASSWORD', 'REPAIR', 'CREATE_BACKUP', 'CREATE_DATABASE', 'CREATE_DATABASE_USER', 'DROP_DATABASE', 'DROP_DATABASE_USER', 'DELETE'],
  databaseUsers: { nodes: [{ id: 'user-1', name: 'app', access: 'OWNER' }, { id: 'user-2', name: 'reports', access: 'READ_ONLY', database: 'shop' }] },
  databases: { nodes: [{ id: 'database-1', name: 'shop', owner: 'app' }, { id: 'database-2', name: 'archive', owner: 'app' }] },
};

const BACKUPS = {
  id: INSTANCE,
  backupPolicy: { enabled: true, intervalHours: 24, retentionDays: 7, store: 'test', durability: 'SAME_MACHINE', protection: 'PROTECTED' },
  recovery: { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z', intervals: [{ from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' }], gaps: [], archiving: true, storedBytes: '1000' },
  backups: { nodes: [{ id: 'backup-1', status: 'AVAILABLE', bytes: '1000', totalBytes: '1000', storedBytes: '1000', createdAt: '2026-01-01T00:00:00Z', locked: false, verification: { status: 'PENDING' } }] },
};

let server: Awaited<ReturnType<typeof startFakeServer>>;
let browser: Browser;
/** The inputs of the mutations that were sent. */
let sent: { name: string; input: Record<string, unknown> }[] = [];

/** A value that subscribers get now, and whenever it changes. */
function live<Value extends object>(initial: Value) {
  let current = initial;
  const waiting = new Set<() => void>();
  return {
    get: () => current,
    change: (part: object) => {
      current = { ...current, ...part };
      for (const wake of waiting) wake();
      waiting.clear();
    },
    async *all() {
      for (;;) {
        yield current;
        await new Promise<void>((resolve) => waiting.add(resolve));
      }
    },
  };
}

/** Limits so wide that each value is within. */
const LIMITS = new Proxy({}, { get: () => ({ min: 0, max: 100_000, default: null }) });

const instance = live(BEFORE);
const backups = live(BACKUPS);

beforeAll(async () => {
  const record = (name: string) => ({ input }: { input: Record<string, unknown> }) => {
    sent.push({ name, input });
    return {};
  };
  const mutations = ['updateInstance', 'resizeInstance', 'setParameters', 'createDatabase', 'dropDatabase', 'createDatabaseUser', 'dropDatabaseUser', 'createBackup'];
  const parameters = [{ name: 'work_mem', type: 'INTEGER', min: '64', max: '1000', default: '4MB', needsRestart: false, category: 'Memory', description: 'Memory of a sort.' }];
  const fields = {
    controlPlane: { runtime: 'kubernetes', copiesInstances: true, caller: { role: 'OPERATOR' }, limits: LIMITS, parameters },
    instance: () => instance.get(),
    ...Object.fromEntries(mutations.map((name) => [name, record(name)])),
  };
  const subscriptions = { instance: () => instance.all(), instanceBackups: () => backups.all() };
  [server, browser] = await Promise.all([startFakeServer(1, { fields, subscriptions }), launch()]);
});

afterAll(async () => {
  await browser?.close();
  server?.stop();
});

beforeEach(() => {
  sent = [];
  instance.change(BEFORE);
  backups.change(BACKUPS);
});

interface Edit {
  name: string;
  tab?: string;
  /** The button that opens the dialog. */
  opens: string;
  enter: (dialog: Locator, page: Page) => Promise<void>;
  /** What somebody else changes while the dialog is open. */
  theirs: () => void;
  shown: { theirs: string; yours: string };
  submit?: string;
}

const fill = (label: string, value: string) => (dialog: Locator) => dialog.getByLabel(label, { exact: true }).fill(value);

const EDITS: Edit[] = [
  {
    name: 'labels',
    opens: 'Edit labels',
    enter: fill('Value of label 1', 'search'),
    theirs: () => instance.change({ labels: [{ key: 'team', value: 'finance' }] }),
    shown: { theirs: 'team=finance', yours: 'team=search' },
  },
  {
    name: 'name',
    opens: 'Edit name and network access',
    enter: fill('Name', 'invoices'),
    theirs: () => instance.change({ name: 'purchases' }),
    shown: { theirs: 'purchases, private', yours: 'invoices, private' },
  },
  {
    name: 'network access',
    opens: 'Edit name and network access',
    enter: (dialog) => dialog.getByLabel('Public (load balancer)').check(),
    theirs: () => instance.change({ exposure: { type: 'LOAD_BALANCER', sourceRanges: ['10.0.0.0/8'], dnsLabel: 'shop' } }),
    shown: { theirs: 'orders, Public (load balancer), from 10.0.0.0/8, DNS label shop', yours: 'orders, Public (load balancer), from any IP address' },
  },
  {
    name: 'health checks',
    tab: 'settings',
    opens: 'Edit health checks',
    enter: fill('Health check timeout', '7'),
    theirs: () => instance.change({ healthCheckPolicy: { intervalSeconds: 10, timeoutSeconds: 5 } }),
    shown: { theirs: 'every 10s, timeout 5s', yours: 'every 30s, timeout 7s' },
  },
  {
    name: 'idle suspension',
    tab: 'settings',
    opens: 'Edit idle suspension',
    enter: fill('Suspend when idle', '30'),
    theirs: () => instance.change({ idleSuspendMinutes: null }),
    shown: { theirs: 'never', yours: 'after 30m' },
  },
  {
    name: 'storage growth',
    tab: 'settings',
    opens: 'Edit storage growth',
    enter: fill('Grow storage to', '100'),
    theirs: () => instance.change({ storageAutoGrow: { thresholdPercent: 90, maxGb: 50 } }),
    shown: { theirs: 'at 90% to 50 GiB', yours: 'at 80% to 100 GiB' },
  },
  {
    name: 'maintenance window',
    tab: 'settings',
    opens: 'Edit maintenance window',
    enter: fill('Start time', '04:00'),
    theirs: () => instance.change({ maintenanceWindow: { ...BEFORE.maintenanceWindow, durationMinutes: 90 } }),
    shown: { theirs: 'Sunday 03:00, for 90m', yours: 'Sunday 04:00, for 60m' },
  },
  {
    name: 'backup policy',
    tab: 'backups',
    opens: 'Change the policy',
    enter: fill('Retention', '30'),
    theirs: () => backups.change({ backupPolicy: { ...BACKUPS.backupPolicy, intervalHours: 12 } }),
    shown: { theirs: 'on, every 12h, kept for 7 days', yours: 'on, every 24h, kept for 30 days' },
  },
  {
    name: 'size',
    opens: 'Resize',
    enter: fill('Memory', '1024'),
    theirs: () => instance.change({ cpuMillis: 1000 }),
    shown: { theirs: '1 vCPU, 512 MiB, 10 GiB', yours: '0.5 vCPU, 1 GiB, 10 GiB' },
    submit: 'Resize',
  },
  {
    name: 'parameters',
    opens: 'Set parameters',
    enter: (dialog) => dialog.getByRole('textbox', { name: /^work_mem/ }).fill('8MB'),
    theirs: () => instance.change({ parameters: [{ name: 'work_mem', value: '16MB', pendingRestart: false }] }),
    shown: { theirs: 'work_mem = 16MB', yours: 'work_mem = 8MB' },
    submit: 'Apply',
  },
  {
    name: 'dropping a database',
    opens: 'Drop the database archive',
    enter: fill('Type "archive" to confirm', 'archive'),
    theirs: () => instance.change({ databases: { nodes: [{ id: 'database-3', name: 'archive', owner: 'reports' }] } }),
    shown: { theirs: 'owned by reports', yours: 'owned by app' },
    submit: 'Drop',
  },
  {
    name: 'dropping a user',
    opens: 'Drop the user reports',
    enter: async () => {},
    theirs: () => instance.change({ databaseUsers: { nodes: [BEFORE.databaseUsers.nodes[0], { id: 'user-3', name: 'reports', access: 'OWNER', database: null }] } }),
    shown: { theirs: 'Owner in its own databases', yours: 'Read only in shop' },
    submit: 'Drop',
  },
];

test.each(EDITS)('what somebody else changes meanwhile is shown next to what was entered: $name', async ({ tab, opens, enter, theirs, shown, submit = 'Save' }) => {
  const { page, complaints } = await open(browser, `${server.url}/instances/${INSTANCE}${tab ? `?tab=${tab}` : ''}`);
  await page.getByRole('button', { name: opens, exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  await enter(dialog, page);
  instance.change({ revision: '2' });
  theirs();
  const alert = dialog.getByRole('alert').filter({ hasText: 'Somebody else' });
  await alert.getByText(`Theirs: ${shown.theirs}`, { exact: true }).waitFor();
  await alert.getByText(`Yours: ${shown.yours}`, { exact: true }).waitFor();
  const button = dialog.getByRole('button', { name: submit, exact: true });
  await expect.poll(() => button.isDisabled(), { message: 'nothing is sent before one of both was chosen' }).toBe(true);
  await expectAccessibleInBothThemes(page);
  await alert.getByRole('button', { name: 'Keep mine' }).click();
  await button.click();
  await dialog.waitFor({ state: 'detached' });
  expect(sent).toHaveLength(1);
  expect(sent[0]?.input.revision, 'the server refuses it if there was another change').toBe('2');
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("another administrator's change of a webhook is shown next to what was entered, and is not taken back", async () => {
  const url = 'https://old.example/hooks';
  const webhook = live({ id: 'webhook-1', url, description: '', events: ['INSTANCE_CREATED'], state: 'ENABLED', pendingEvents: 0, revision: '1' });
  const updates: Record<string, unknown>[] = [];
  const updateWebhook = ({ input }: { input: Record<string, unknown> }) => {
    updates.push(input);
    return {};
  };
  async function* webhooks() {
    for await (const now of webhook.all()) yield [now];
  }
  const fields = { controlPlane: { caller: { role: 'ADMIN' }, limits: LIMITS }, updateWebhook };
  const administered = await startFakeServer(0, { fields, subscriptions: { webhooks } });
  const { page, complaints } = await open(browser, `${administered.url}/webhooks`);
  const dialog = page.getByRole('dialog', { name: 'Edit webhook' });
  const edit = async (at: string, description: string) => {
    await page.getByRole('button', { name: `More about ${at}` }).click();
    await page.getByRole('menuitem', { name: 'Edit' }).click();
    await dialog.getByLabel('Description').fill(description);
  };
  await edit(url, 'on call');
  webhook.change({ revision: '2', url: 'https://new.example/hooks', events: [] });
  const alert = dialog.getByRole('alert').filter({ hasText: 'Somebody else' });
  await alert.getByText('Theirs: https://new.example/hooks, no description, all events', { exact: true }).waitFor();
  await alert.getByText('Yours: https://old.example/hooks, on call, Instance created', { exact: true }).waitFor();
  await expect.poll(() => dialog.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
  await expectAccessibleInBothThemes(page);
  await alert.getByRole('button', { name: 'Use theirs' }).click();
  await dialog.getByLabel('Description').fill('on call');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  expect(updates).toEqual([{ id: 'webhook-1', description: 'on call', events: [], revision: '2' }]);

  // That it was disabled meanwhile is no conflict.
  await edit('https://new.example/hooks', 'nobody');
  webhook.change({ revision: '3', state: 'DISABLED' });
  await page.getByRole('button', { name: 'Enable https://new.example/hooks', includeHidden: true }).waitFor({ state: 'attached' });
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  expect(updates[1]?.revision).toBe('3');
  expect(complaints).toEqual([]);
  await page.context().close();
  administered.stop();
});

const OTHERS: (Pick<Edit, 'name' | 'tab' | 'opens'> & { enter?: Edit['enter']; submit?: string })[] = [
  { name: 'creating a database', opens: 'New database', enter: (dialog) => dialog.getByRole('textbox', { name: 'Name' }).fill('stock'), submit: 'Create' },
  { name: 'creating a user', opens: 'New user', enter: (dialog) => dialog.getByRole('textbox', { name: 'Name' }).fill('stock'), submit: 'Create' },
  { name: 'backing up', tab: 'backups', opens: 'Back up now', submit: 'Back up' },
  { name: 'deletion protection', tab: 'settings', opens: 'Deletion protection' },
  { name: 'TLS', tab: 'settings', opens: 'Require TLS' },
];

test.each(OTHERS)('the revision is sent too by $name', async ({ tab, opens, enter, submit }) => {
  const { page } = await open(browser, `${server.url}/instances/${INSTANCE}${tab ? `?tab=${tab}` : ''}`);
  if (submit) {
    await page.getByRole('button', { name: opens, exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await expectAccessibleInBothThemes(page);
    await enter?.(dialog, page);
    await dialog.getByRole('button', { name: submit, exact: true }).click();
  } else {
    await page.getByRole('switch', { name: opens }).click();
  }
  await expect.poll(() => sent.map(({ input }) => input.revision)).toEqual(['1']);
  await page.context().close();
});

/** The dialogs that edit nothing that was there. */
const DIALOGS: { opens: string; tab?: string }[] = [
  { opens: 'Restart' },
  { opens: 'Suspend' },
  { opens: 'Upgrade' },
  { opens: 'Rotate password' },
  { opens: 'Repair' },
  { opens: 'Restore', tab: 'backups' },
  { opens: 'Clone', tab: 'backups' },
  { opens: 'Delete', tab: 'backups' },
  { opens: 'Delete', tab: 'settings' },
];

test.each(DIALOGS)('axe finds nothing in the dialog of $opens in both themes', async ({ opens, tab }) => {
  const { page, complaints } = await open(browser, `${server.url}/instances/${INSTANCE}${tab ? `?tab=${tab}` : ''}`);
  await page.getByRole('button', { name: opens, exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).waitFor();
  await expectAccessibleInBothThemes(page);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test('axe finds nothing in the list of instances that were found in the store of backups', async () => {
  const fields = { controlPlane: { caller: { role: 'ADMIN' } }, importBackups: { instances: [{ id: INSTANCE, name: 'orders' }] } };
  const empty = await startFakeServer(0, { fields });
  const { page, complaints } = await open(browser, empty.url);
  await page.getByRole('button', { name: 'Find instances in the store of backups' }).click();
  await page.getByRole('dialog', { name: 'Instances in the store of backups' }).getByRole('link', { name: 'orders' }).waitFor();
  await expectAccessibleInBothThemes(page);
  expect(complaints).toEqual([]);
  await page.context().close();
  empty.stop();
});
