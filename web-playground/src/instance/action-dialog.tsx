import { Suspense, useEffect, useState } from 'react';
import { Dialog } from '../frame/dialog';
import { Failure } from '../frame/failure';
import { Loading } from '../frame/loading';
import { label } from '../lib/label';
import { lazily } from '../lib/lazy';
import type { InstanceRow } from './list';
import type { BulkAction, RowAction } from './row-actions';
import { focusTable } from './table';

// Not part of the first load: forms are a third of the component library.
const RowForm = lazily(() => import('./row-form'));
const BulkForm = lazily(() => import('../bulk/form'));

/** An action that was chosen in the list, of one instance or of several. Another object opens the dialog again. */
export type Started = { action: RowAction; row: InstanceRow } | { action: BulkAction; rows: readonly InstanceRow[] };

interface Props {
  started: Started | undefined;
  /** All instances, live. */
  rows: readonly InstanceRow[];
  /** Called with each instance of several that the server has accepted. */
  onAccepted: (id: string) => void;
}

/** The dialog of what was chosen in the list. Its content stays while it closes. */
export function ActionDialog({ started, rows, onAccepted }: Props) {
  const [opened, setOpened] = useState(false);
  useEffect(() => setOpened(started !== undefined), [started]);
  const close = () => setOpened(false);
  return (
    <Dialog opened={opened} onClose={close} onExitTransitionEnd={() => setTimeout(focusTable, RETURNED_AFTER_MS)} title={started && titleOf(started)} size={started && 'rows' in started ? 'lg' : undefined}>
      <Failure>
        <Suspense fallback={<Loading />}>
          {started &&
            ('row' in started ? (
              <RowForm id={started.row.id} action={started.action} onDone={close} />
            ) : (
              <BulkForm action={started.action} rows={current(started.rows, rows)} onAccepted={onAccepted} onClose={close} />
            ))}
        </Suspense>
      </Failure>
    </Dialog>
  );
}

/** A dialog gives the focus back a moment after it has closed, unless what had it is gone. */
const RETURNED_AFTER_MS = 50;

function titleOf(started: Started): string {
  const { action } = started;
  const [what, end] = 'row' in started ? [started.row.name, '?'] : ['the selected instances', ''];
  return action === 'LABELS' ? `Labels of ${what}` : `${label(action)} ${what}${end}`;
}

/** What has become of the rows. Deleted instances are no longer in the list. */
function current(chosen: readonly InstanceRow[], rows: readonly InstanceRow[]): InstanceRow[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return chosen.map((row) => byId.get(row.id) ?? { ...row, state: 'DELETED' });
}
