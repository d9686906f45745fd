import { CircleHelp, CirclePause, CirclePlay, CircleSlash, CircleX, HeartCrack, HeartPulse, LoaderCircle, Trash2 } from 'lucide-react';
import type { Look } from '../frame/status-mark';
import type { HealthStatus, InstanceState } from '../gql/graphql';

/** In the order in which the list is sorted: what needs attention comes first. */
export const STATES: Record<InstanceState, Look> = {
  FAILED: { icon: CircleX, tone: 'bad' },
  CREATING: { icon: LoaderCircle, tone: 'busy' },
  UPDATING: { icon: LoaderCircle, tone: 'busy' },
  DELETING: { icon: Trash2, tone: 'busy' },
  RUNNING: { icon: CirclePlay, tone: 'good' },
  SUSPENDED: { icon: CirclePause, tone: 'quiet' },
  DELETED: { icon: CircleSlash, tone: 'quiet' },
};

/** In the order in which the list is sorted. */
export const HEALTHS: Record<HealthStatus, Look> = {
  UNHEALTHY: { icon: HeartCrack, tone: 'bad' },
  UNKNOWN: { icon: CircleHelp, tone: 'quiet' },
  HEALTHY: { icon: HeartPulse, tone: 'good' },
};

export const STATE_VALUES = Object.keys(STATES) as InstanceState[];
export const HEALTH_VALUES = Object.keys(HEALTHS) as HealthStatus[];
