import type { OperationStatus } from '../gql/graphql';

/** What has become of one instance in a run. */
export type Outcome =
  | { is: 'WAITING' | 'SENDING' | 'SKIPPED' }
  /** The request was refused or did not arrive. */
  | { is: 'REFUSED'; message: string }
  /** The change is made; there is no operation. */
  | { is: 'CHANGED' }
  /** The server has accepted an operation. */
  | { is: 'ACCEPTED'; operationId: string; status: OperationStatus; message?: string };

export type OutcomeGroup = 'failed' | 'open' | 'done';

export function groupOf(outcome: Outcome): OutcomeGroup {
  switch (outcome.is) {
    case 'REFUSED':
    case 'SKIPPED':
      return 'failed';
    case 'CHANGED':
      return 'done';
    case 'ACCEPTED':
      return outcome.status === 'SUCCEEDED' ? 'done' : outcome.status === 'FAILED' || outcome.status === 'CANCELLED' ? 'failed' : 'open';
    default:
      return 'open';
  }
}

/** How many there are of each. */
export function tally(outcomes: Iterable<Outcome>): Record<OutcomeGroup, number> {
  const counts = { failed: 0, open: 0, done: 0 };
  for (const outcome of outcomes) counts[groupOf(outcome)]++;
  return counts;
}

/** `2 of 5 done, 1 failed`. */
export function summary({ failed, open, done }: Record<OutcomeGroup, number>): string {
  const total = failed + open + done;
  return `${done} of ${total} done${failed ? `, ${failed} failed` : ''}${open ? `, ${open} in progress` : ''}`;
}
