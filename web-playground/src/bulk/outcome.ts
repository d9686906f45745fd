import type { OperationStatus } from '../gql/graphql';

/** What has become of one instance in a run. */
export type Outcome =
  /** `SKIPPED`: the run was stopped before. */
  | { is: 'WAITING' | 'SENDING' | 'SKIPPED' }
  /** The request was refused or did not arrive. */
  | { is: 'REFUSED'; message: string }
  /** The change is made; there is no operation. */
  | { is: 'CHANGED' }
  /** The server has accepted an operation. */
  | { is: 'ACCEPTED'; operationId: string; status: OperationStatus; message?: string };

/** In the order in which they are listed. */
const GROUPS = ['failed', 'unsent', 'open', 'done'] as const;

type Group = (typeof GROUPS)[number];

export function groupOf(outcome: Outcome): Group {
  switch (outcome.is) {
    case 'REFUSED':
      return 'failed';
    case 'SKIPPED':
      return 'unsent';
    case 'CHANGED':
      return 'done';
    case 'ACCEPTED':
      return outcome.status === 'SUCCEEDED' ? 'done' : outcome.status === 'FAILED' || outcome.status === 'CANCELLED' ? 'failed' : 'open';
    default:
      return 'open';
  }
}

/** What needs attention comes first; what is in progress or done keeps its order, so that lines do not jump. */
export function listed(outcomes: Iterable<[string, Outcome]>): [string, Outcome][] {
  const rank = (outcome: Outcome) => Math.min(GROUPS.indexOf(groupOf(outcome)), GROUPS.indexOf('open'));
  return [...outcomes].sort(([, a], [, b]) => rank(a) - rank(b));
}

/** How many there are of each. */
export function tally(outcomes: Iterable<Outcome>): Record<Group, number> {
  const counts = { failed: 0, unsent: 0, open: 0, done: 0 };
  for (const outcome of outcomes) counts[groupOf(outcome)]++;
  return counts;
}

/** `2 of 5 done, 1 failed`. */
export function summary({ failed, unsent, open, done }: Record<Group, number>): string {
  const others = [
    [failed, 'failed'],
    [unsent, 'not sent'],
    [open, 'in progress'],
  ] as const;
  return [`${done} of ${failed + unsent + open + done} done`, ...others.flatMap(([count, word]) => (count ? `${count} ${word}` : []))].join(', ');
}
