import type { OperationCardFragment } from '../gql/graphql';
import { Took } from '../time/took';
import classes from './steps.module.css';
import { STEP_STATUSES, STEPS } from './words';

/** The steps of an operation from top to bottom, with how long each took and what went wrong. */
export function Steps({ steps }: { steps: OperationCardFragment['steps'] }) {
  return (
    <ol className={classes.steps}>
      {steps.map(({ name, status, attempt, startedAt, finishedAt, error }) => {
        const { icon: Icon, word, tone } = STEP_STATUSES[status];
        return (
          <li key={name} className={classes.step} data-tone={tone}>
            <Icon size={17} className={status === 'RUNNING' ? 'spin' : undefined} aria-hidden />
            <span className={classes.name}>
              {STEPS[name]}
              {attempt > 1 && <span className={classes.attempt}> attempt {attempt}</span>}
            </span>
            <span className={classes.time}>
              {startedAt && status !== 'SKIPPED' ? <Took from={startedAt} to={finishedAt} /> : word}
              {startedAt && <span className={classes.hidden}>, {word}</span>}
            </span>
            {error && <span className={classes.error}>{error.message}</span>}
          </li>
        );
      })}
    </ol>
  );
}
