import { Group, SegmentedControl, Skeleton, Text } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Suspense, useMemo, useState, useSyncExternalStore } from 'react';
import { Failure } from '../frame/failure';
import { Panel } from '../frame/panel';
import { graphql } from '../gql';
import type { HealthChecksSubscription, HealthChecksSubscriptionVariables, HealthHistoryQuery, HealthStatus, InstanceState, SampleFragment } from '../gql/graphql';
import type { PanelProps } from '../instance/sections';
import { sentenceCase } from '../lib/label';
import { lazily } from '../lib/lazy';
import { request } from '../lib/request';
import { useLog } from '../live/use-log';
import { Ago } from '../time/ago';
import { onTick } from '../time/ticker';
import { milliseconds } from './milliseconds';
import classes from './panel.module.css';
import { percent, statistics } from './statistics';
import { reaches, series, WINDOWS, type WindowHours, within } from './window';

const LatencyChart = lazily(() => import('./latency-chart'));

/** The most samples that are loaded. With checks more frequent than every 30 seconds, they may not reach back to the beginning of the window. */
const LIMIT = 6_000;
const PAGE = 500;

/** The latency of health checks as a live chart, with the same figures as text. */
export function HealthPanel({ instance: { id: instanceId, state, healthCheckPolicy } }: PanelProps) {
  const [hours, setHours] = useState<WindowHours>(1);
  const { items, error } = useLog<SampleFragment, HealthChecksSubscription, HealthChecksSubscriptionVariables>({
    key: ['healthChecks', instanceId, hours],
    load: () => loadWindow(instanceId, hours),
    query: HEALTH_CHECKS,
    variables: { instanceId },
    limit: LIMIT,
  });
  // The window moves on while no check is made.
  const now = useSyncExternalStore(onTick, () => Math.floor(Date.now() / REDRAWN_EVERY_MS) * REDRAWN_EVERY_MS);
  const holdMs = 2000 * (healthCheckPolicy.intervalSeconds + healthCheckPolicy.timeoutSeconds);
  const end = Math.max(now, Date.parse(items?.[0]?.at ?? '') || 0);
  const samples = useMemo(() => within(items ?? [], hours, end), [items, hours, end]);
  const { checks, failures, p50, p99, logins, loginP50 } = useMemo(() => statistics(samples), [samples]);
  const shown = useMemo(() => series(samples, hours, end, holdMs), [samples, hours, end, holdMs]);
  const latest = items?.[0];
  const availability = useAvailability(instanceId, latest?.status);
  const failure = samples.find(({ status }) => status === 'UNHEALTHY');

  return (
    <Panel
      title="Health"
      aside={
        <Group gap="sm">
          {latest && (
            <Text size="sm" c="dimmed">
              checked <Ago at={latest.at} suffix=" ago" />
            </Text>
          )}
          <SegmentedControl
            size="xs"
            aria-label="Time window"
            data={WINDOWS.map((hours) => ({ value: String(hours), label: `${hours}h` }))}
            value={String(hours)}
            onChange={(value) => setHours(WINDOWS.find((hours) => String(hours) === value) ?? 1)}
          />
        </Group>
      }
    >
      {error && <Text className="error">{sentenceCase(error.message)}</Text>}
      <dl className={classes.numbers}>
        <Number name="Latency: last" value={latest?.status === 'UNHEALTHY' ? 'failed' : milliseconds(latest?.latencyMs)} />
        <Number name="p50" value={milliseconds(p50)} />
        <Number name="p99" value={milliseconds(p99)} />
        <Number name="Failed checks" value={checks ? `${failures} of ${checks}` : '—'} />
        <Number name="Availability (24h)" value={availability == null ? '—' : percent(availability)} />
      </dl>
      <Failure>
        <Suspense fallback={<Skeleton height={200} animate={false} />}>
          <LatencyChart series={shown} />
        </Suspense>
      </Failure>
      {logins > 0 && (
        <Text size="sm" c="dimmed" mt="xs">
          ◇ checks with a login: {logins} of {checks}, p50 {milliseconds(loginP50)}
        </Text>
      )}
      <Text size="sm" c="dimmed" mt="xs" mih={22}>
        {failure ? (
          <>
            ✕ last failure <Ago at={failure.at} suffix=" ago" />
            {failure.error && `: ${failure.error.message}`}
          </>
        ) : (
          items && (samples.length ? 'No failed checks' : UNCHECKED.has(state) ? 'No checks in this time' : 'No checks yet')
        )}
        {items?.length === LIMIT && samples.length === LIMIT && `. The latest ${LIMIT} checks are shown`}
      </Text>
    </Panel>
  );
}

/** The states without health checks. */
const UNCHECKED = new Set<InstanceState>(['FAILED', 'SUSPENDED', 'DELETING', 'DELETED']);

const REDRAWN_EVERY_MS = 10_000;

/**
 * The share of the last 24 hours, which the server weighs by time. It knows all checks, of which the page may have the latest only. Asked
 * for again with the first check, whenever checks begin to fail or to succeed, and as time passes.
 */
function useAvailability(instanceId: string, status: HealthStatus | undefined): number | null | undefined {
  const { data } = useQuery({
    queryKey: ['healthSummary', instanceId, status],
    queryFn: async () => (await request(HEALTH_SUMMARY, { instanceId })).instance?.healthSummary.uptime ?? null,
    staleTime: 0,
    refetchInterval: REDRAWN_EVERY_MS,
    placeholderData: keepPreviousData,
  });
  return data;
}

/** The samples of the window, the newest first. */
async function loadWindow(instanceId: string, hours: WindowHours): Promise<readonly SampleFragment[]> {
  const now = Date.now();
  const all: SampleFragment[] = [];
  for (let after: string | null | undefined; ; ) {
    const page: HealthHistoryQuery = await request(HEALTH_HISTORY, { instanceId, first: PAGE, after });
    const checks = page.instance?.healthChecks;
    if (!checks) return all;
    all.push(...checks.nodes);
    if (!checks.pageInfo.hasNextPage || all.length >= LIMIT || reaches(checks.nodes, hours, now)) return all;
    after = checks.pageInfo.endCursor;
  }
}

function Number({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

const HEALTH_SUMMARY = graphql(`
  query HealthSummary($instanceId: ID!) {
    instance(id: $instanceId) {
      healthSummary {
        uptime
      }
    }
  }
`);

const HEALTH_HISTORY = graphql(`
  query HealthHistory($instanceId: ID!, $first: Int!, $after: String) {
    instance(id: $instanceId) {
      healthChecks(first: $first, after: $after) {
        pageInfo {
          endCursor
          hasNextPage
        }
        nodes {
          ...Sample
        }
      }
    }
  }

  fragment Sample on HealthCheck {
    cursor
    at
    status
    latencyMs
    loggedIn
    error {
      code
      message
    }
  }
`);

const HEALTH_CHECKS = graphql(`
  subscription HealthChecks($instanceId: ID!, $after: String) {
    healthChecks(instanceId: $instanceId, after: $after) {
      ...Sample
    }
  }
`);
