import { CircleHelp, CirclePlay, CircleSlash, CircleX, HeartCrack, HeartPulse, LoaderCircle, Trash2 } from 'lucide-react';
import type { HealthStatus, InstanceState } from '../gql/graphql';
import classes from './status.module.css';

const STATES = {
  CREATING: { icon: LoaderCircle, word: 'Creating', tone: 'busy' },
  RUNNING: { icon: CirclePlay, word: 'Running', tone: 'good' },
  DELETING: { icon: Trash2, word: 'Deleting', tone: 'busy' },
  DELETED: { icon: CircleSlash, word: 'Deleted', tone: 'quiet' },
  FAILED: { icon: CircleX, word: 'Failed', tone: 'bad' },
} as const satisfies Record<InstanceState, object>;

const HEALTHS = {
  HEALTHY: { icon: HeartPulse, word: 'Healthy', tone: 'good' },
  UNHEALTHY: { icon: HeartCrack, word: 'Unhealthy', tone: 'bad' },
  UNKNOWN: { icon: CircleHelp, word: 'Unknown', tone: 'quiet' },
} as const satisfies Record<HealthStatus, object>;

export const STATE_NAMES = Object.entries(STATES).map(([value, { word }]) => ({ value: value as InstanceState, label: word }));
export const HEALTH_NAMES = Object.entries(HEALTHS).map(([value, { word }]) => ({ value: value as HealthStatus, label: word }));

/** A state as shape and word, with the colour on top. */
export function StateStatus({ state }: { state: InstanceState }) {
  const { icon: Icon, word, tone } = STATES[state];
  return (
    <span className={classes.status} data-tone={tone}>
      <Icon size={16} className={state === 'CREATING' ? 'spin' : undefined} aria-hidden />
      {word}
    </span>
  );
}

export function HealthStatusMark({ health }: { health: HealthStatus }) {
  const { icon: Icon, word, tone } = HEALTHS[health];
  return (
    <span className={classes.status} data-tone={tone}>
      <Icon size={16} aria-hidden />
      {word}
    </span>
  );
}

