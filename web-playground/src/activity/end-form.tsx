import { Alert, Code, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { MutationForm } from '../form/mutation-form';
import { graphql } from '../gql';
import { useMutate } from '../lib/use-mutate';
import { type Session, useReloadActivity } from './sessions';

interface Props {
  instanceId: string;
  session: Session;
  onDone: () => void;
}

/** Asks before the statement of a session is cancelled. */
export function CancelQueryForm({ instanceId, session, onDone }: Props) {
  const reload = useReloadActivity(instanceId);
  const mutation = useMutate(CANCEL, { onSuccess: () => (reload(), onDone()) });
  const form = useForm({ initialValues: {} });
  return (
    <MutationForm form={form} mutation={mutation} toInput={() => ({ instanceId, sessionId: session.id })} submit="Cancel the statement" color="red" onCancel={onDone}>
      <Text size="sm">The statement fails, and so does its transaction. The session goes on.</Text>
      <Statement session={session} />
    </MutationForm>
  );
}

/** Asks before a session is ended. */
export function TerminateSessionForm({ instanceId, session, onDone }: Props) {
  const reload = useReloadActivity(instanceId);
  const mutation = useMutate(TERMINATE, { onSuccess: ({ ended }) => (reload(), ended && onDone()) });
  const form = useForm({ initialValues: {} });
  return (
    <MutationForm form={form} mutation={mutation} toInput={() => ({ instanceId, sessionId: session.id })} submit="End the session" color="red" onCancel={onDone}>
      <Text size="sm">Its transaction is rolled back, and its connection is closed. Most clients connect again.</Text>
      <Statement session={session} />
      {mutation.data?.ended === false && (
        <Alert color="yellow" variant="outline" mt="md" p="xs" role="status">
          The session was told to end, and has not yet: what it does cannot be interrupted at once.
        </Alert>
      )}
    </MutationForm>
  );
}

function Statement({ session: { statement } }: { session: Session }) {
  return statement ? (
    <Code block mt="md" mah={160}>
      {statement}
    </Code>
  ) : null;
}

const CANCEL = graphql(`
  mutation CancelQuery($input: CancelQueryInput!) {
    cancelQuery(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);

const TERMINATE = graphql(`
  mutation TerminateSession($input: TerminateSessionInput!) {
    terminateSession(input: $input) {
      ended
      userErrors {
        field
        message
      }
    }
  }
`);
