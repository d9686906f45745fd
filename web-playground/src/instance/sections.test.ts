import { expect, test } from 'vitest';
import type { Permissions } from '../control-plane/control-plane';
import type { InstancePageFragment, InstanceState } from '../gql/graphql';
import { chosenSection, type PanelEntry, sectionsOf } from './sections';

const Panel = () => null;
const PANELS: PanelEntry[] = [
  { section: 'settings', Panel },
  { section: 'overview', Panel },
  { section: 'overview', Panel, whileRunning: true },
  { section: 'queries', Panel, whileRunning: true, shown: (_, { operate }) => operate },
];

const sections = (state: InstanceState, operate = true) =>
  sectionsOf(PANELS, { state } as InstancePageFragment, { operate } as Permissions).map(({ section, panels }) => [section, panels.length]);

test('sections have an order of their own, and none is without a panel', () => {
  expect(sections('RUNNING')).toEqual([['overview', 2], ['queries', 1], ['settings', 1]]);
  expect(sections('RUNNING', false)).toEqual([['overview', 2], ['settings', 1]]);
});

test('what waits for the server stays while it may come back', () => {
  expect(sections('UPDATING')).toEqual([['overview', 1], ['queries', 0], ['settings', 1]]);
  expect(sections('DELETED')).toEqual([['overview', 1], ['settings', 1]]);
});

test('an unknown section is the first one', () => {
  const all = sectionsOf(PANELS, { state: 'RUNNING' } as InstancePageFragment, { operate: false } as Permissions);
  expect(chosenSection(all, 'settings')?.section).toBe('settings');
  expect(chosenSection(all, 'queries')?.section).toBe('overview');
  expect(chosenSection(all, null)?.section).toBe('overview');
});
