import { StatusMark } from '../frame/status-mark';
import type { HealthStatus, InstanceState, OperationKind, OperationStatus } from '../gql/graphql';
import { label } from '../lib/label';
import { STATUSES } from './states';
import { statusOf } from './status';

interface Props {
  instance: { state: InstanceState; health: HealthStatus };
  /** The latest operation, which says what an instance is updated for. */
  latest?: { kind: OperationKind; status: OperationStatus };
}

/** What an instance is, in one badge. */
export function StatusBadge({ instance, latest }: Props) {
  const status = statusOf(instance);
  const during = status === 'UPDATING' && latest && (latest.status === 'PENDING' || latest.status === 'RUNNING');
  return <StatusMark value={status} look={STATUSES[status]} text={during ? `${label(status)}: ${label(latest.kind).toLowerCase()}` : undefined} />;
}
