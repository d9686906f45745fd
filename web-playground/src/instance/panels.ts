import { EventLogPanel } from '../event/log-panel';
import { DatabasesPanel } from '../database/panel';
import { DatabaseUsersPanel } from '../database-user/panel';
import { HealthPanel } from '../health/panel';
import { lazily } from '../lib/lazy';
import { LatestOperationPanel } from '../operation/latest-panel';
import { ConnectPanel } from './connect-panel';
import { DetailsPanel } from './details-panel';
import type { PanelEntry } from './sections';

/**
 * The panels of the page of an instance: a new one is one entry, and its section appears with it. Those outside of the overview are
 * loaded when their section is shown.
 */
export const PANELS: readonly PanelEntry[] = [
  { section: 'overview', Panel: ConnectPanel },
  { section: 'overview', Panel: DatabasesPanel, whileRunning: true },
  { section: 'overview', Panel: DatabaseUsersPanel, whileRunning: true },
  { section: 'overview', Panel: HealthPanel },
  { section: 'overview', Panel: EventLogPanel },
  { section: 'overview', Panel: LatestOperationPanel, aside: true },
  { section: 'overview', Panel: DetailsPanel, aside: true },
  { section: 'backups', Panel: lazily(() => import('../backup/panel')) },
  { section: 'logs', Panel: lazily(() => import('../log/panel')), shown: ({ state }, { operate }) => operate && state !== 'DELETED' },
  { section: 'metrics', Panel: lazily(() => import('../metrics/panel')), shown: ({ state }) => state !== 'DELETED' },
  { section: 'queries', Panel: lazily(() => import('../activity/panel')), whileRunning: true, shown: (_, { operate }) => operate },
  { section: 'queries', Panel: lazily(() => import('../top-queries/panel')), whileRunning: true, shown: (_, { operate }) => operate },
  { section: 'settings', Panel: lazily(() => import('./settings-panel')) },
  { section: 'settings', Panel: lazily(() => import('./deletion-panel')), aside: true, shown: ({ state }) => state !== 'DELETED' },
];
