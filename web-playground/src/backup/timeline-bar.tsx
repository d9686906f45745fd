import { Text } from '@mantine/core';
import type { BackupsFragment } from '../gql/graphql';
import { label } from '../lib/label';
import { full } from '../time/format';
import { spans } from './timeline';
import classes from './timeline.module.css';

/** What can be restored, as a bar: each range, and the gaps between them. */
export function Timeline({ recovery: { intervals, gaps, from, to } }: { recovery: NonNullable<BackupsFragment['recovery']> }) {
  if (!from || !to) return null;
  return (
    <>
      <div className={classes.bar} role="img" aria-label={`Recoverable from ${full(from)} to ${full(to)}, with ${gaps.length} gaps`}>
        {spans(intervals, gaps, Date.parse(to)).map((span) => (
          <div
            key={`${span.kind} ${span.from}`}
            className={classes.span}
            data-kind={span.kind}
            style={{ left: `${span.left}%`, width: `${span.width}%` }}
            title={`${span.reason ? `Gap (${label(span.reason)})` : 'Recoverable'}: ${full(span.from)} to ${full(span.to)}`}
          />
        ))}
      </div>
      <div className={classes.ends}>
        <Text size="sm" c="dimmed">
          {full(from)}
        </Text>
        <Text size="sm" c="dimmed" ta="right">
          {full(to)}
        </Text>
      </div>
      {gaps.map((gap) => (
        <Text key={gap.from} size="sm" mt={4}>
          Not recoverable: {full(gap.from)} to {full(gap.to)} ({label(gap.reason).toLowerCase()})
        </Text>
      ))}
    </>
  );
}
