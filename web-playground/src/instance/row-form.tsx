import { Text } from '@mantine/core';
import { FocusFirst } from '../frame/focus-first';
import { Loading } from '../frame/loading';
import { KINDS } from '../operation/kinds';
import { LabelsForm } from './labels-dialog';
import { useInstance } from './live';
import type { RowAction } from './row-actions';

/** The form of an action that was chosen in the list, which has less of an instance than the form needs. */
export default function RowForm({ id, action, onDone }: { id: string; action: RowAction; onDone: () => void }) {
  const { value: instance, error } = useInstance(id);
  const Form = action === 'LABELS' ? LabelsForm : KINDS.find(({ kind }) => kind === action)?.Form;
  if (!instance || !Form) {
    return error ? (
      <Text className="error" role="alert">
        {error.message}
      </Text>
    ) : (
      <Loading />
    );
  }
  return (
    <FocusFirst>
      <Form instance={instance} onDone={onDone} />
    </FocusFirst>
  );
}
