import type { OperationStatus } from '../gql/graphql';
import classes from '../instance/status.module.css';
import { STATUSES } from './words';

export function OperationStatusMark({ status }: { status: OperationStatus }) {
  const { icon: Icon, word, tone } = STATUSES[status];
  return (
    <span className={classes.status} data-tone={tone}>
      <Icon size={16} className={status === 'RUNNING' ? 'spin' : undefined} aria-hidden />
      {word}
    </span>
  );
}
