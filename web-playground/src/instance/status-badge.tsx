import { StatusMark } from '../frame/status-mark';
import type { HealthStatus, InstanceState } from '../gql/graphql';
import { label } from '../lib/label';
import { activityOf, type NamedOperation, nameOf } from '../operation/names';
import { STATUSES } from './states';
import { statusOf } from './status';

interface Props {
  instance: { state: InstanceState; health: HealthStatus; currentOperation?: NamedOperation | null };
}

/** What an instance is, in one badge: what is done with it, or its state and its health. */
export function StatusBadge({ instance }: Props) {
  const status = statusOf(instance);
  const operation = instance.currentOperation;
  return (
    <StatusMark
      value={status}
      look={STATUSES[status]}
      text={operation ? activityOf(operation) : undefined}
      title={operation ? `State: ${label(status).toLowerCase()}; operation: ${nameOf(operation).toLowerCase()}` : undefined}
    />
  );
}
