import { StatusMark } from '../frame/status-mark';
import type { OperationStatus } from '../gql/graphql';
import { STATUSES } from './words';

export function OperationMark({ status }: { status: OperationStatus }) {
  return <StatusMark status={STATUSES[status]} spinning={status === 'RUNNING'} />;
}
