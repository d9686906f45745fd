import { Alert, Anchor, Container, Group, Text, Title } from '@mantine/core';
import { Suspense } from 'react';
import { Link, useSearchParams } from 'wouter';
import { usePermissions } from '../control-plane/control-plane';
import { Failure } from '../frame/failure';
import { Loading } from '../frame/loading';
import { NotFound } from '../frame/not-found';
import { useTitle } from '../frame/use-title';
import type { InstancePageFragment, InstanceState } from '../gql/graphql';
import { label, sentenceCase } from '../lib/label';
import { hasCode } from '../live/resume';
import { KINDS } from '../operation/kinds';
import { LatestOperationPanel } from '../operation/latest-panel';
import { StartButton } from '../operation/start-button';
import { useInstance } from './live';
import classes from './page.module.css';
import { PANELS } from './panels';
import { SectionNav } from './section-nav';
import { chosenSection, type PanelEntry, sectionsOf } from './sections';
import { StatusBadge } from './status-badge';

/** One instance, live. */
export default function InstancePage({ id }: { id: string }) {
  const { value: instance, error } = useInstance(id);
  useTitle(instance ? undefined : 'Instance');
  if (!instance && error && hasCode(error.cause, (code) => code === 'NOT_FOUND')) return <NotFound what="instance" />;

  return (
    <Container size={1600} py="lg">
      <Anchor component={Link} href="/" size="sm">
        ‹ Instances
      </Anchor>
      {error && (
        <Alert color="red" variant="outline" title="Live updates failed" my="md">
          {sentenceCase(error.message)}
        </Alert>
      )}
      {!instance && !error && <Loading />}
      {instance && <Shown instance={instance} />}
    </Container>
  );
}

function Shown({ instance }: { instance: InstancePageFragment }) {
  const { name, state, health, reason, notices } = instance;
  const { operate } = usePermissions();
  return (
    <>
      <Group gap="lg" mb="md">
        <Title order={1} size="h2" className={classes.name}>
          {name}
        </Title>
        <Group gap="md" role="status" aria-label="Status">
          <StatusBadge instance={instance} />
        </Group>
        {operate && (
          <Group gap="xs" ml="auto">
            {KINDS.filter(({ destructive }) => !destructive).map((operation) => (
              <StartButton key={operation.kind} operation={operation} instance={instance} />
            ))}
          </Group>
        )}
      </Group>
      {reason && (
        <Alert color={state === 'FAILED' || health === 'UNHEALTHY' ? 'red' : 'gray'} variant="outline" mb="md" p="xs" role="status">
          {sentenceCase(reason.message)}
          {state === 'FAILED' && operate && (
            <Text size="sm" mt={4}>
              Retry the operation, or delete the instance.
            </Text>
          )}
        </Alert>
      )}
      {notices.map(({ code, message }) => (
        <Alert key={code} color="yellow" variant="outline" mb="md" p="xs" role="status">
          {sentenceCase(message)}
        </Alert>
      ))}
      <Sections instance={instance} />
    </>
  );
}

/** The sections that there are, and the panels of the one that the URL names. */
function Sections({ instance }: { instance: InstancePageFragment }) {
  const { id, name, state } = instance;
  const permissions = usePermissions();
  const [params] = useSearchParams();
  const sections = sectionsOf(PANELS, instance, permissions);
  const chosen = chosenSection(sections, params.get('tab'));
  const overview = chosen?.section === 'overview';
  useTitle(chosen && !overview ? `${name}: ${label(chosen.section)}` : name);
  if (!chosen) return null;
  const { section, panels } = chosen;
  const aside = panels.filter(({ aside }) => aside);
  return (
    <>
      <SectionNav id={id} name={name} sections={sections} current={section} />
      <div key={section} className={classes.columns} data-aside={aside.length > 0 || undefined} data-settled={SETTLED.has(state) || undefined}>
        <div className={classes.main}>
          {/* Wherever an operation was started, its progress is seen. */}
          {!overview && !SETTLED.has(state) && <LatestOperationPanel instance={instance} />}
          {panels.length === 0 && <Text c="dimmed">This is shown while the instance is running.</Text>}
          <Panels panels={panels.filter(({ aside }) => !aside)} instance={instance} />
        </div>
        {aside.length > 0 && (
          <div className={classes.side}>
            <Panels panels={aside} instance={instance} />
          </div>
        )}
      </div>
    </>
  );
}

/** Each in a boundary of its own, so that one that fails or is still being loaded leaves the others alone. */
function Panels({ panels, instance }: { panels: readonly PanelEntry[]; instance: InstancePageFragment }) {
  return panels.map((entry) => (
    <Failure key={PANELS.indexOf(entry)}>
      <Suspense fallback={<Loading />}>
        <entry.Panel instance={instance} />
      </Suspense>
    </Failure>
  ));
}

/** The states in which nothing is in progress or wrong. */
const SETTLED = new Set<InstanceState>(['RUNNING', 'SUSPENDED', 'DELETED']);
