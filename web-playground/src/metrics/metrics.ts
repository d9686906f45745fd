import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { graphql } from '../gql';
import type { LatestMetricsSubscription, MetricName, MetricsQuery } from '../gql/graphql';
import { request } from '../lib/request';
import { useLatest } from '../live/use-latest';
import { NAMES } from './charts';
import { stepOf, type WindowHours } from './window';

export type Series = NonNullable<MetricsQuery['instance']>['metrics'][number];
type Latest = LatestMetricsSubscription['instanceMetrics'];

/** The metrics of a window, loaded anew when its last point may have changed, and the latest reading, live. */
export function useMetrics(id: string, hours: WindowHours) {
  const { value: latest, error: liveError } = useLatest<Latest>(LATEST_METRICS, id);
  const step = stepOf(hours);
  const number = latest ? Math.floor(Date.parse(latest.at) / 1000 / Math.min(step, 300)) : 0;
  const { data, error } = useQuery({
    queryKey: ['metrics', id, hours, step > 60 ? number : (latest?.at ?? '')],
    queryFn: () => load(id, hours),
    staleTime: 0,
    placeholderData: (previous, query) => (query?.queryKey[1] === id && query.queryKey[2] === hours ? keepPreviousData(previous) : undefined),
  });
  const values = new Map<MetricName, number | null | undefined>(latest?.values.map(({ name, value }) => [name, value]));
  return { ...data, values, at: latest?.at, error: error ?? liveError };
}

async function load(id: string, hours: WindowHours): Promise<{ now: number; series: readonly Series[] }> {
  const now = Date.now();
  const variables = { id, names: NAMES, from: new Date(now - hours * 3_600_000).toISOString(), stepSeconds: stepOf(hours) };
  return { now, series: (await request(METRICS, variables)).instance?.metrics ?? [] };
}

const METRICS = graphql(`
  query Metrics($id: ID!, $names: [MetricName!], $from: DateTime, $stepSeconds: Int) {
    instance(id: $id) {
      metrics(names: $names, from: $from, stepSeconds: $stepSeconds) {
        name
        unit
        points {
          at
          value
          maximum
        }
      }
    }
  }
`);

const LATEST_METRICS = graphql(`
  subscription LatestMetrics($id: ID!) {
    instanceMetrics(instanceId: $id) {
      at
      values {
        name
        value
      }
    }
  }
`);
