import { CircleHelp, CirclePlay, CircleSlash, CircleX, HeartCrack, HeartPulse, LoaderCircle, Trash2 } from 'lucide-react';
import { type Status, StatusMark } from '../frame/status-mark';
import type { HealthStatus, InstanceState } from '../gql/graphql';

const STATES: Record<InstanceState, Status> = {
  CREATING: { icon: LoaderCircle, word: 'Creating', tone: 'busy' },
  RUNNING: { icon: CirclePlay, word: 'Running', tone: 'good' },
  DELETING: { icon: Trash2, word: 'Deleting', tone: 'busy' },
  DELETED: { icon: CircleSlash, word: 'Deleted', tone: 'quiet' },
  FAILED: { icon: CircleX, word: 'Failed', tone: 'bad' },
};

const HEALTHS: Record<HealthStatus, Status> = {
  HEALTHY: { icon: HeartPulse, word: 'Healthy', tone: 'good' },
  UNHEALTHY: { icon: HeartCrack, word: 'Unhealthy', tone: 'bad' },
  UNKNOWN: { icon: CircleHelp, word: 'Unknown', tone: 'quiet' },
};

export const STATE_NAMES = Object.entries(STATES).map(([value, { word }]) => ({ value: value as InstanceState, label: word }));
export const HEALTH_NAMES = Object.entries(HEALTHS).map(([value, { word }]) => ({ value: value as HealthStatus, label: word }));

export function StateMark({ state }: { state: InstanceState }) {
  return <StatusMark status={STATES[state]} spinning={state === 'CREATING'} />;
}

export function HealthMark({ health }: { health: HealthStatus }) {
  return <StatusMark status={HEALTHS[health]} />;
}
