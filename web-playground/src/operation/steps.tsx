import { StatusIcon } from '../frame/status-mark';
import type { OperationCardFragment } from '../gql/graphql';
import { label, sentenceCase } from '../lib/label';
import { Took } from '../time/took';
import { STEP_STATUSES } from './looks';
import classes from './steps.module.css';

/** The steps of an operation in order, each with its duration, its error and what it found. */
export function Steps({ steps }: { steps: OperationCardFragment['steps'] }) {
  return (
    <ol className={classes.steps}>
      {steps.map(({ name, status, attempt, startedAt, finishedAt, error, findings }) => {
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
            {findings.map((finding) => (
              <span key={finding} className={classes.finding}>
                {sentenceCase(finding)}
              </span>
            ))}
          </li>
        );
      })}
    </ol>
  );
}
