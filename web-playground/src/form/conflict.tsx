import { Alert, Button, Group, Text } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { useState } from 'react';

/** What a form edits was changed by somebody else while it was open. */
export interface Conflict<Values> {
  theirs: Values;
  /** The values as text. */
  describe: (values: Values) => string;
  /** Fills the form with what is there now. */
  takeTheirs: () => void;
  /** Goes on with what was entered. */
  keepMine: () => void;
}

/** Watches `current`, the live values of what a form edits, without those that are no part of the instance. While there is a conflict, the form cannot be sent. */
export function useConflict<Values extends object>(
  form: UseFormReturnType<Values>,
  current: Partial<Values>,
  describe: (values: Values) => string,
): Conflict<Values> | undefined {
  const [seen, setSeen] = useState(current);
  if (JSON.stringify(seen) === JSON.stringify(current)) return undefined;
  const theirs = { ...form.values, ...current };
  // The live values may be there before the answer to what this form has sent.
  if (describe(theirs) === describe(form.values)) return undefined;
  const keepMine = () => {
    setSeen(current);
    form.resetDirty(theirs);
  };
  return {
    theirs,
    describe,
    keepMine,
    takeTheirs: () => {
      form.setValues(theirs);
      keepMine();
    },
  };
}

/** Shows both sides of a conflict and lets the user choose. */
export function ConflictAlert<Values extends object>({ conflict, mine }: { conflict: Conflict<Values>; mine: Values }) {
  return (
    <Alert color="yellow" variant="outline" mt="md" role="alert" title="Somebody else has changed this meanwhile">
      <Text size="sm">
        <strong>Theirs:</strong> {conflict.describe(conflict.theirs)}
      </Text>
      <Text size="sm">
        <strong>Yours:</strong> {conflict.describe(mine)}
      </Text>
      <Group gap="xs" mt="sm">
        <Button size="xs" variant="default" onClick={conflict.takeTheirs}>
          Use theirs
        </Button>
        <Button size="xs" variant="default" onClick={conflict.keepMine}>
          Keep mine
        </Button>
      </Group>
    </Alert>
  );
}
