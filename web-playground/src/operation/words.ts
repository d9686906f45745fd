import { Ban, CircleCheck, CircleDashed, CircleX, CornerDownRight, Hourglass, LoaderCircle } from 'lucide-react';
import type { Status } from '../frame/status-mark';
import type { OperationKind, OperationStatus, StepName, StepStatus } from '../gql/graphql';

export const KINDS: Record<OperationKind, string> = { CREATE: 'Create', DELETE: 'Delete' };

export const STATUSES: Record<OperationStatus, Status> = {
  PENDING: { icon: Hourglass, word: 'Pending', tone: 'busy' },
  RUNNING: { icon: LoaderCircle, word: 'Running', tone: 'busy' },
  SUCCEEDED: { icon: CircleCheck, word: 'Succeeded', tone: 'good' },
  FAILED: { icon: CircleX, word: 'Failed', tone: 'bad' },
  CANCELLED: { icon: Ban, word: 'Cancelled', tone: 'quiet' },
};

export const STEP_STATUSES: Record<StepStatus, Status> = {
  PENDING: { icon: CircleDashed, word: 'not begun', tone: 'quiet' },
  RUNNING: { icon: LoaderCircle, word: 'under way', tone: 'busy' },
  SUCCEEDED: { icon: CircleCheck, word: 'done', tone: 'good' },
  FAILED: { icon: CircleX, word: 'failed', tone: 'bad' },
  SKIPPED: { icon: CornerDownRight, word: 'not needed', tone: 'quiet' },
};

export const STEPS: Record<StepName, string> = {
  DEPLOY_POSTGRES: 'Deploy PostgreSQL',
  GET_INSTANCE_STATUS: 'Wait until it is ready',
  GENERATE_CONNECTION_STRING: 'Find out how to connect, and try it',
  UPDATE_METADATA: 'Write down the result',
  STOP_WORKFLOWS: 'Stop what still works on it',
  DELETE_POSTGRES: 'Remove PostgreSQL',
  CLEAN_UP: 'Remove what had been made',
};

export function isOver(status: OperationStatus): boolean {
  return status === 'SUCCEEDED' || status === 'FAILED' || status === 'CANCELLED';
}
