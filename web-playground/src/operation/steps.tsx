import { StatusIcon } from '../frame/status-mark';
import type { OperationCardFragment } from '../gql/graphql';
import { label, sentenceCase } from '../lib/label';
import { Took } from '../time/took';
import { STEP_STATUSES } from './statuses';
import { repeats } from './repeats';
import { stepLabel } from './step-label';
import classes from './steps.module.css';

/** The steps of an operation in order, each with its duration, its error unless it was `said` before, and what it found. */
export function Steps({ steps, said }: { steps: OperationCardFragment['steps']; said?: string }) {
  return (
    <ol className={classes.steps}>
      {steps.map(({ name, status, attempt, startedAt, finishedAt, error, findings }) => {
        const { icon, tone } = STEP_STATUSES[status];
        return (
          <li key={name} className={classes.step} data-tone={tone}>
            <StatusIcon icon={icon} size={17} />
            <span className={classes.name}>
              {stepLabel(name)}
              {attempt > 1 && <span className={classes.attempt}> attempt {attempt}</span>}
            </span>
            <span className={classes.time}>
              {startedAt && status !== 'SKIPPED' ? <Took from={startedAt} to={finishedAt} /> : label(status)}
              {startedAt && <span className={classes.hidden}>, {label(status)}</span>}
            </span>
            {error && !repeats(error.message, said) && <span className={classes.error}>{sentenceCase(error.message)}</span>}
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
