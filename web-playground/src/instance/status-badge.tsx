import { StatusMark } from '../frame/status-mark';
import type { HealthStatus, InstanceState, OperationKind } from '../gql/graphql';
import { label } from '../lib/label';
import { ACTIVITIES } from '../operation/activities';
import { STATUSES } from './states';
import { statusOf } from './status';

interface Props {
  instance: { state: InstanceState; health: HealthStatus; currentOperation?: { kind: OperationKind } | null };
}

/** What an instance is, in one badge: what is done with it, or its state and its health. */
export function StatusBadge({ instance }: Props) {
  const status = statusOf(instance);
  const kind = instance.currentOperation?.kind;
  return (
    <StatusMark
      value={status}
      look={STATUSES[status]}
      text={kind && ACTIVITIES[kind]}
      title={kind && `State: ${label(status).toLowerCase()}; operation: ${label(kind).toLowerCase()}`}
    />
  );
}
