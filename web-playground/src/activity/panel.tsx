import { Alert, Button, Group, Table, Text, VisuallyHidden } from '@mantine/core';
import { useDisclosure, useInViewport } from '@mantine/hooks';
import { Pause, Play } from 'lucide-react';
import { useState } from 'react';
import { Dialog } from '../frame/dialog';
import { Loading } from '../frame/loading';
import { Panel } from '../frame/panel';
import type { PanelProps } from '../instance/sections';
import { label, sentenceCase } from '../lib/label';
import { duration } from '../time/format';
import classes from './panel.module.css';
import { CancelQueryForm, TerminateSessionForm } from './end-form';
import { type Activity, blockers, runsStatement, type Session, sinceSeconds, useActivity } from './sessions';

/** What the sessions of clients do, read again every five seconds while the panel is on the screen. */
export default function ActivityPanel({ instance: { id: instanceId } }: PanelProps) {
  const { ref, inViewport } = useInViewport();
  const [paused, pause] = useDisclosure(false);
  const { data, error } = useActivity(instanceId, inViewport && !paused);
  return (
    <div ref={ref}>
      <Panel
        title="Activity"
        aside={
          <Group gap="sm">
            {data && !data.reason && (
              <Text size="sm" c="dimmed" role="status" className="digits">
                {data.totalSessions} {data.totalSessions === 1 ? 'session' : 'sessions'}
              </Text>
            )}
            <Button variant="default" size="xs" leftSection={paused ? <Play size={14} aria-hidden /> : <Pause size={14} aria-hidden />} onClick={pause.toggle}>
              {paused ? 'Follow' : 'Pause'}
            </Button>
          </Group>
        }
      >
        {error && <Text className="error">{error.message}</Text>}
        {!data && !error && (paused ? <Text c="dimmed">Paused</Text> : <Loading />)}
        {data?.reason && (
          <Alert color="gray" variant="outline" p="xs" role="status">
            {sentenceCase(data.reason.message)}
          </Alert>
        )}
        {data && !data.reason && <Sessions instanceId={instanceId} activity={data} />}
      </Panel>
    </div>
  );
}

type Ended = { session: Session; kind: 'cancel' | 'terminate' };

function Sessions({ instanceId, activity: { sessions, totalSessions } }: { instanceId: string; activity: Activity }) {
  const [chosen, choose] = useState<Ended>();
  const [asking, ask] = useDisclosure(false);
  const left = (totalSessions ?? 0) - sessions.length;
  const start = (session: Session, kind: Ended['kind']) => {
    choose({ session, kind });
    ask.open();
  };
  if (!sessions.length) return <Text size="sm" c="dimmed">No client is connected</Text>;
  return (
    <>
      <Table.ScrollContainer minWidth={640} mah={420} type="native" tabIndex={0} role="group" aria-label="Sessions, scrollable">
        <Table aria-label="Sessions" className={classes.table}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Session</Table.Th>
              <Table.Th>State</Table.Th>
              <Table.Th>Statement</Table.Th>
              <Table.Th pos="relative">
                <VisuallyHidden>Actions</VisuallyHidden>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {sessions.map((session) => (
              <Row key={session.id} session={session} sessions={sessions} onStart={(kind) => start(session, kind)} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {left > 0 && (
        <Text size="sm" c="dimmed" mt="xs">
          {left} more sessions, which do less
        </Text>
      )}
      {chosen && (
        <Dialog opened={asking} onClose={ask.close} title={chosen.kind === 'cancel' ? `Cancel the statement of pid ${chosen.session.pid}?` : `End the session of pid ${chosen.session.pid}?`}>
          {chosen.kind === 'cancel' ? (
            <CancelQueryForm instanceId={instanceId} session={chosen.session} onDone={ask.close} />
          ) : (
            <TerminateSessionForm instanceId={instanceId} session={chosen.session} onDone={ask.close} />
          )}
        </Dialog>
      )}
    </>
  );
}

function Row({ session, sessions, onStart }: { session: Session; sessions: readonly Session[]; onStart: (kind: Ended['kind']) => void }) {
  const { pid, username, database, applicationName, clientAddress, state, waitEventType, waitEvent, transactionSeconds, statement } = session;
  const since = sinceSeconds(session);
  const blocked = blockers(session, sessions);
  const client = [applicationName, clientAddress].filter(Boolean).join(', ');
  return (
    <Table.Tr>
      <Table.Td className={classes.top}>
        <div className="digits">{pid}</div>
        <Text size="sm">
          {username} · {database}
        </Text>
        {client && (
          <Text size="xs" c="dimmed">
            {client}
          </Text>
        )}
      </Table.Td>
      <Table.Td className={classes.top}>
        <div>
          {state ? label(state) : 'Unknown'} {since != null && <span className="digits">{duration(since * 1000)}</span>}
        </div>
        {transactionSeconds != null && state !== 'ACTIVE' && (
          <Text size="xs" c="dimmed">
            transaction {duration(transactionSeconds * 1000)}
          </Text>
        )}
        {waitEvent && state === 'ACTIVE' && (
          <Text size="xs" c="dimmed">
            waits: {waitEventType} · {waitEvent}
          </Text>
        )}
        {blocked && (
          <Text size="xs" className={classes.blocked}>
            blocked by {blocked}
          </Text>
        )}
      </Table.Td>
      <Table.Td className={classes.top}>
        <code className={classes.statement} title={statement ?? undefined}>
          {statement}
        </code>
      </Table.Td>
      <Table.Td className={classes.top} ta="right">
        <Group gap={6} justify="flex-end" wrap="nowrap">
          {runsStatement(session) && (
            <Button variant="default" size="compact-xs" aria-label={`Cancel the statement of pid ${pid}`} onClick={() => onStart('cancel')}>
              Cancel
            </Button>
          )}
          <Button variant="default" size="compact-xs" aria-label={`End the session of pid ${pid}`} onClick={() => onStart('terminate')}>
            End
          </Button>
        </Group>
      </Table.Td>
    </Table.Tr>
  );
}
