import { CircleCheck, CirclePause, CirclePlay, CircleSlash, CircleX, HeartCrack, LoaderCircle, Trash2 } from 'lucide-react';
import type { Look } from '../frame/status-mark';
import type { InstanceStatus } from './status';

/** In the order in which the list is sorted: what needs attention comes first. */
export const STATUSES: Record<InstanceStatus, Look> = {
  FAILED: { icon: CircleX, tone: 'bad' },
  UNHEALTHY: { icon: HeartCrack, tone: 'bad' },
  CREATING: { icon: LoaderCircle, tone: 'busy' },
  UPDATING: { icon: LoaderCircle, tone: 'busy' },
  DELETING: { icon: Trash2, tone: 'busy' },
  RUNNING: { icon: CirclePlay, tone: 'quiet' },
  HEALTHY: { icon: CircleCheck, tone: 'good' },
  SUSPENDED: { icon: CirclePause, tone: 'quiet' },
  DELETED: { icon: CircleSlash, tone: 'quiet' },
};

export const STATUS_VALUES = Object.keys(STATUSES) as InstanceStatus[];
