import type { HealthStatus, InstanceState } from '../gql/graphql';

/** What an instance is in one word, from its state and its health, which matters only while it is running. */
export type InstanceStatus = Exclude<InstanceState, 'RUNNING'> | 'UNHEALTHY' | 'RUNNING' | 'HEALTHY';

/** `RUNNING` while its health is not known yet. */
export function statusOf({ state, health }: { state: InstanceState; health: HealthStatus }): InstanceStatus {
  return state === 'RUNNING' && health !== 'UNKNOWN' ? health : state;
}
