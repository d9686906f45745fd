import { Anchor, Button, Group, Progress, Text } from '@mantine/core';
import { Ban, CircleCheck, CircleDashed, CircleX, LoaderCircle } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { Link } from 'wouter';
import { type Look, StatusMark } from '../frame/status-mark';
import { type Loss, useLoss } from '../frame/dialog';
import { sentenceCase } from '../lib/label';
import { OperationMark } from '../operation/status';
import classes from './bulk.module.css';
import { listed, type Outcome, summary, tally } from './outcome';
import { useOperations } from './use-operations';
import type { Run } from './use-run';

interface Props {
  run: Run;
  /** All that were chosen, by id. */
  names: ReadonlyMap<string, string>;
  /** Sends those again that were not accepted. */
  onRetry: (ids: string[]) => void;
  onClose: () => void;
}

const SENDING: Loss = { title: 'Stop here?', text: 'What was not sent yet stays as it is.', confirm: 'Stop' };

/** What becomes of each instance; those that failed come first. */
export function BulkProgress({ run: { outcomes, sending, stop }, names, onRetry, onClose }: Props) {
  const current = useOperations(outcomes);
  const counts = tally(current.values());
  const share = (count: number) => (100 * count) / (current.size || 1);
  const unaccepted = [...current].flatMap(([id, { is }]) => (is === 'REFUSED' || is === 'SKIPPED' ? id : []));
  useLoss(sending ? SENDING : undefined);
  // The button that had the focus is gone.
  const heading = useRef<HTMLParagraphElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <>
      <Text ref={heading} role="status" tabIndex={-1} size="sm" fw={600} mb="xs" className={`digits ${classes.summary}`}>
        {summary(counts)}
      </Text>
      <Progress.Root aria-hidden>
        <Progress.Section value={share(counts.done)} />
        <Progress.Section value={share(counts.failed + counts.unsent)} color="red" />
      </Progress.Root>
      <ul className={classes.list} tabIndex={0} aria-label="Outcomes">
        {listed(current).map(([id, outcome]) => (
          <Line key={id} name={names.get(id) ?? id} outcome={outcome} />
        ))}
      </ul>
      <Group justify="flex-end" mt="md" gap="xs">
        {sending && (
          <Button variant="default" onClick={stop}>
            Stop
          </Button>
        )}
        {!sending && unaccepted.length > 0 && (
          <Button variant="default" onClick={() => onRetry(unaccepted)}>
            Retry ({unaccepted.length})
          </Button>
        )}
        <Button onClick={onClose} disabled={sending}>
          Close
        </Button>
      </Group>
    </>
  );
}

function Line({ name, outcome }: { name: string; outcome: Outcome }) {
  const message = 'message' in outcome ? outcome.message : undefined;
  return (
    <li className={classes.line}>
      <span className={classes.name}>{name}</span>
      {outcome.is === 'ACCEPTED' ? (
        <Anchor component={Link} href={`/operations/${outcome.operationId}`} underline="never" c="inherit" aria-label={`Operation of ${name}: ${outcome.status.toLowerCase()}`}>
          <OperationMark status={outcome.status} />
        </Anchor>
      ) : (
        <StatusMark value={outcome.is} look={LOOKS[outcome.is]} text={TEXTS[outcome.is]} />
      )}
      {message && <span className={classes.reason}>{sentenceCase(message)}</span>}
    </li>
  );
}

const LOOKS: Record<Exclude<Outcome['is'], 'ACCEPTED'>, Look> = {
  WAITING: { icon: CircleDashed, tone: 'quiet' },
  SENDING: { icon: LoaderCircle, tone: 'busy' },
  SKIPPED: { icon: Ban, tone: 'quiet' },
  REFUSED: { icon: CircleX, tone: 'bad' },
  CHANGED: { icon: CircleCheck, tone: 'good' },
};

const TEXTS: Partial<Record<Outcome['is'], string>> = { SKIPPED: 'Not sent', REFUSED: 'Not accepted' };
