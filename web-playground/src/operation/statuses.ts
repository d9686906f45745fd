import { Ban, CircleCheck, CircleDashed, CircleX, CornerDownRight, Hourglass, LoaderCircle } from 'lucide-react';
import type { Look } from '../frame/status-mark';
import type { OperationStatus, StepStatus } from '../gql/graphql';

export const STATUSES: Record<OperationStatus, Look> = {
  PENDING: { icon: Hourglass, tone: 'busy' },
  RUNNING: { icon: LoaderCircle, tone: 'busy' },
  SUCCEEDED: { icon: CircleCheck, tone: 'good' },
  FAILED: { icon: CircleX, tone: 'bad' },
  CANCELLED: { icon: Ban, tone: 'quiet' },
};

export const STEP_STATUSES: Record<StepStatus, Look> = {
  PENDING: { icon: CircleDashed, tone: 'quiet' },
  RUNNING: { icon: LoaderCircle, tone: 'busy' },
  SUCCEEDED: { icon: CircleCheck, tone: 'good' },
  FAILED: { icon: CircleX, tone: 'bad' },
  SKIPPED: { icon: CornerDownRight, tone: 'quiet' },
};
