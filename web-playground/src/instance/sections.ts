import type { ComponentType } from 'react';
import type { Permissions } from '../control-plane/control-plane';
import type { InstancePageFragment } from '../gql/graphql';

/** In the order in which they are shown. Those without a panel are not. */
export const SECTIONS = ['overview', 'backups', 'logs', 'metrics', 'queries', 'settings'] as const;

export type Section = (typeof SECTIONS)[number];

export interface PanelProps {
  instance: InstancePageFragment;
}

/** One panel of the page of an instance. */
export interface PanelEntry {
  section: Section;
  /** Beside the others, where the screen is wide enough. */
  aside?: boolean;
  /** It reads from the server of the instance, and so is there while that runs. */
  whileRunning?: boolean;
  /** Whether it is there at all: always, unless this says otherwise. */
  shown?: (instance: InstancePageFragment, permissions: Permissions) => boolean;
  Panel: ComponentType<PanelProps>;
}

export interface ShownSection {
  section: Section;
  /** None while all of them wait for the server of the instance. */
  panels: readonly PanelEntry[];
}

/** The sections that have panels, in order. A section whose panels wait for the server of the instance stays, so that it does not vanish during a restart. */
export function sectionsOf(panels: readonly PanelEntry[], instance: InstancePageFragment, permissions: Permissions): ShownSection[] {
  const { state } = instance;
  const there = panels.filter(({ shown, whileRunning }) => (shown?.(instance, permissions) ?? true) && !(whileRunning && state === 'DELETED'));
  return SECTIONS.map((section) => there.filter((entry) => entry.section === section)).flatMap((entries) =>
    entries[0] ? [{ section: entries[0].section, panels: entries.filter(({ whileRunning }) => !whileRunning || state === 'RUNNING') }] : [],
  );
}

/** The section that the URL names, or the first one. */
export function chosenSection(sections: readonly ShownSection[], name: string | null): ShownSection | undefined {
  return sections.find(({ section }) => section === name) ?? sections[0];
}
