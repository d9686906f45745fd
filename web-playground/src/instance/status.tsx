import { StatusMark } from '../frame/status-mark';
import type { HealthStatus, InstanceState } from '../gql/graphql';
import { HEALTHS, STATES } from './states';

export function StateMark({ state }: { state: InstanceState }) {
  return <StatusMark value={state} look={STATES[state]} />;
}

export function HealthMark({ health }: { health: HealthStatus }) {
  return <StatusMark value={health} look={HEALTHS[health]} />;
}
