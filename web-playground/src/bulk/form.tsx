import { type ComponentType, useState } from 'react';
import { FocusFirst } from '../frame/focus-first';
import type { InstanceRow } from '../instance/list';
import type { BulkAction } from '../instance/row-actions';
import type { BulkFormProps } from './confirm-form';
import { DeleteForm } from './delete-form';
import { LabelsForm } from './labels-form';
import type { Outcome } from './outcome';
import { BulkProgress } from './progress';
import { RestartForm } from './restart-form';
import { useTargets } from './targets';
import { useRun } from './use-run';

interface Props {
  action: BulkAction;
  /** The selected instances, live. */
  rows: readonly InstanceRow[];
  /** Called with each instance that the server has accepted. */
  onAccepted: (id: string) => void;
  onClose: () => void;
}

const FORMS: Record<BulkAction, ComponentType<BulkFormProps>> = { RESTART: RestartForm, LABELS: LabelsForm, DELETE: DeleteForm };

/** Says what will be done to which of the selected instances, does it, and shows what becomes of each. */
export default function BulkForm({ action, rows, onAccepted, onClose }: Props) {
  const [started, setStarted] = useState<{ send: (id: string) => Promise<Outcome>; names: ReadonlyMap<string, string> }>();
  const { data: targets, error } = useTargets(rows, !started);
  const run = useRun(onAccepted);
  const Form = FORMS[action];
  if (started) {
    return <BulkProgress run={run} names={started.names} onRetry={(ids) => run.start(ids, started.send)} onClose={onClose} />;
  }
  return (
    <FocusFirst>
      {error && (
        <p className="error" role="alert">
          {error.message}
        </p>
      )}
      <Form
        targets={targets}
        start={(ids, send) => {
          setStarted({ send, names: new Map(rows.map(({ id, name }) => [id, name])) });
          run.start(ids, send);
        }}
        onCancel={onClose}
      />
    </FocusFirst>
  );
}
