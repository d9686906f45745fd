import type { InstancePageFragment } from '../gql/graphql';

type Target = Pick<InstancePageFragment['upgradeTargets'][number], 'version' | 'obstacle'>;

/** The versions of PostgreSQL that nothing known prevents an upgrade to, in their order. */
export function possible(targets: readonly Target[]): string[] {
  return targets.filter(({ obstacle }) => !obstacle).map(({ version }) => version);
}
