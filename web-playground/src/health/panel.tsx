import { Skeleton, Text } from '@mantine/core';
import { lazy, Suspense, useMemo } from 'react';
import { Panel } from '../frame/panel';
import { graphql } from '../gql';
import type { HealthChecksSubscription, HealthChecksSubscriptionVariables, SampleFragment } from '../gql/graphql';
import { request } from '../lib/request';
import { useLog } from '../live/use-log';
import { Ago } from '../time/ago';
import classes from './panel.module.css';
import { statistics } from './statistics';

const LatencyChart = lazy(() => import('./latency-chart'));

const LIMIT = 240;

/**
 * The latency of health checks as a live chart, with the same figures as text. `expecting`: checks will follow, so the chart is
 * shown before the first one.
 */
export function HealthPanel({ instanceId, expecting }: { instanceId: string; expecting: boolean }) {
  const { items, error } = useLog<SampleFragment, HealthChecksSubscription, HealthChecksSubscriptionVariables>({
    key: ['healthChecks', instanceId],
    load: async () => (await request(HEALTH_HISTORY, { instanceId, first: LIMIT })).instance?.healthChecks.nodes ?? [],
    query: HEALTH_CHECKS,
    variables: { instanceId },
    limit: LIMIT,
  });
  const { checks, failures, uptime, p50, p99 } = useMemo(() => statistics(items ?? []), [items]);
  const latest = items?.[0];
  const failure = items?.find(({ status }) => status === 'UNHEALTHY');

  if (items?.length === 0 && !expecting) {
    return (
      <Panel title="Health">
        <Text size="sm" c="dimmed">
          No health checks.
        </Text>
      </Panel>
    );
  }

  return (
    <Panel
      title="Health"
      aside={
        latest && (
          <Text size="sm" c="dimmed">
            checked <Ago at={latest.at} suffix=" ago" />
          </Text>
        )
      }
    >
      {error && <Text className="error">{error.message}</Text>}
      <dl className={classes.numbers}>
        <Number name="Latest" value={latest?.status === 'UNHEALTHY' ? 'failed' : ms(latest?.latencyMs)} />
        <Number name="Median" value={ms(p50)} />
        <Number name="p99" value={ms(p99)} />
        <Number name="Failed checks" value={checks ? `${failures} of ${checks}` : '—'} />
        <Number name="Uptime" value={uptime === undefined ? '—' : `${uptime.toFixed(uptime === 100 ? 0 : 1)} %`} />
      </dl>
      <Suspense fallback={<Skeleton height={200} animate={false} />}>
        <LatencyChart samples={items ?? []} />
      </Suspense>
      <Text size="sm" c="dimmed" mt="xs" mih={22}>
        {failure ? (
          <>
            ✕ last failure <Ago at={failure.at} suffix=" ago" />
            {failure.error && `: ${failure.error.message}`}
          </>
        ) : (
          items && (items.length ? 'No failed checks.' : 'No checks yet.')
        )}
      </Text>
    </Panel>
  );
}

function Number({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function ms(value?: number | null): string {
  if (value == null) return '—';
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

const HEALTH_HISTORY = graphql(`
  query HealthHistory($instanceId: ID!, $first: Int!) {
    instance(id: $instanceId) {
      healthChecks(first: $first) {
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
