import { StatusIcon } from '../frame/status-mark';
import type { OperationCardFragment } from '../gql/graphql';
import { label } from '../lib/label';
import { Took } from '../time/took';
import { STEP_STATUSES } from './looks';
import classes from './steps.module.css';

/** The steps of an operation in order, each with its duration and error. */
export function Steps({ steps }: { steps: OperationCardFragment['steps'] }) {
  return (
    <ol className={classes.steps}>
      {steps.map(({ name, status, attempt, startedAt, finishedAt, error }) => {
        const { icon, tone } = STEP_STATUSES[status];
        return (
          <li key={name} className={classes.step} data-tone={tone}>
            <StatusIcon icon={icon} size={17} />
            <span className={classes.name}>
              {label(name)}
              {attempt > 1 && <span className={classes.attempt}> attempt {attempt}</span>}
            </span>
            <span className={classes.time}>
              {startedAt && status !== 'SKIPPED' ? <Took from={startedAt} to={finishedAt} /> : label(status)}
              {startedAt && <span className={classes.hidden}>, {label(status)}</span>}
            </span>
            {error && <span className={classes.error}>{error.message}</span>}
          </li>
        );
      })}
    </ol>
  );
}
