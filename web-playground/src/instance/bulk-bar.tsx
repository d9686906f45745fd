import { Button, CloseButton } from '@mantine/core';
import { useEffect } from 'react';
import classes from './bulk-bar.module.css';
import { actionLabel, BULK_ACTIONS, type BulkAction, ROW_ACTIONS } from './row-actions';
import { focusTable } from './table';

interface Props {
  count: number;
  /** How many of them a filter hides. */
  hidden: number;
  onAction: (action: BulkAction) => void;
  onClear: () => void;
}

/** What can be done to the selected instances, at the bottom of the window wherever the list is scrolled to. */
export function BulkBar({ count, hidden, onAction, onClear }: Props) {
  useEffect(() => () => void requestAnimationFrame(focusTable), []);
  return (
    <section className={classes.bar} aria-label="Selected instances">
      <span className={classes.count}>
        {count} selected{hidden > 0 && `, ${hidden} not shown`}
      </span>
      <CloseButton size="sm" aria-label="Clear the selection" onClick={onClear} />
      {BULK_ACTIONS.map((action) => {
        const Icon = ROW_ACTIONS[action];
        return (
          <Button
            key={action}
            variant="default"
            size="xs"
            c={action === 'DELETE' ? 'var(--bad)' : undefined}
            leftSection={<Icon size={14} aria-hidden />}
            onClick={() => onAction(action)}
          >
            {actionLabel(action)}
          </Button>
        );
      })}
    </section>
  );
}
