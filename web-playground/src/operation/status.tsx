import { StatusMark } from '../frame/status-mark';
import type { OperationStatus } from '../gql/graphql';
import { STATUSES } from './statuses';

export function OperationMark({ status }: { status: OperationStatus }) {
  return <StatusMark value={status} look={STATUSES[status]} />;
}
