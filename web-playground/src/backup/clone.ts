import type { BackupsFragment, InstanceState } from '../gql/graphql';

/** Whether an instance can be cloned now: a host that copies data needs it to run, or be suspended; another one needs an archive that is followed. */
export function canClone(state: InstanceState, copies: boolean, recovery: BackupsFragment['recovery']): boolean {
  if (copies) return state === 'RUNNING' || state === 'SUSPENDED';
  return state === 'RUNNING' && !!recovery?.archiving && recovery.intervals.length > 0;
}
