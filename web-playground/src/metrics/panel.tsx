import { Group, SegmentedControl, Skeleton, Text } from '@mantine/core';
import { Suspense, useMemo, useState } from 'react';
import { Failure } from '../frame/failure';
import { Loading } from '../frame/loading';
import { Panel } from '../frame/panel';
import type { MetricName } from '../gql/graphql';
import type { PanelProps } from '../instance/sections';
import { sentenceCase } from '../lib/label';
import { lazily } from '../lib/lazy';
import { Ago } from '../time/ago';
import { type Chart, CHARTS } from './charts';
import { format } from './format';
import { type Series, useMetrics } from './metrics';
import classes from './panel.module.css';
import { grid, windowName, WINDOWS, type WindowHours } from './window';

const LineChart = lazily(() => import('./line-chart'));

/** What the server of an instance counts and measures, as charts with the latest values as text. */
export default function MetricsPanel({ instance: { id } }: PanelProps) {
  const [hours, setHours] = useState<WindowHours>(1);
  const { now, series, values, at, error } = useMetrics(id, hours);
  const isEmpty = series?.every(({ points }) => points.length === 0) && !at;
  return (
    <Panel
      title="Metrics"
      aside={
        <Group gap="sm">
          {at && (
            <Text size="sm" c="dimmed">
              read <Ago at={at} suffix=" ago" />
            </Text>
          )}
          <SegmentedControl
            size="xs"
            aria-label="Time window"
            data={WINDOWS.map((hours) => ({ value: String(hours), label: windowName(hours) }))}
            value={String(hours)}
            onChange={(value) => setHours(WINDOWS.find((hours) => String(hours) === value) ?? 1)}
          />
        </Group>
      }
    >
      {error && <Text className="error">{sentenceCase(error.message)}</Text>}
      {isEmpty && (
        <Text size="sm" c="dimmed" mb="sm">
          No metrics yet: they are read every 30 seconds while the instance runs.
        </Text>
      )}
      {series && now ? (
        <div className={classes.charts}>
          {CHARTS.map((chart) => (
            <MetricChart key={chart.title} chart={chart} hours={hours} now={now} series={series} latest={values} />
          ))}
        </div>
      ) : (
        !error && <Loading />
      )}
    </Panel>
  );
}

interface ChartProps {
  chart: Chart;
  hours: WindowHours;
  now: number;
  series: readonly Series[];
  latest: ReadonlyMap<MetricName, number | null | undefined>;
}

function MetricChart({ chart, hours, now, series, latest }: ChartProps) {
  const of = useMemo(() => chart.lines.map(({ name }) => series.find((series) => series.name === name)), [chart, series]);
  const shown = useMemo(() => grid(hours, now, of.map((series) => series?.points ?? [])), [hours, now, of]);
  const unit = of[0]?.unit ?? 'COUNT';
  return (
    <section aria-label={chart.title}>
      <h3 className={classes.title}>{chart.title}</h3>
      <ul className={classes.legend}>
        {chart.lines.map(({ name, label }, index) => (
          <li key={name}>
            <svg width="18" height="8" aria-hidden className={classes.sample} data-line={index + 1}>
              <line x1="0" x2="18" y1="4" y2="4" />
            </svg>
            {label} <strong className="digits">{format(latest.get(name), unit)}</strong>
          </li>
        ))}
      </ul>
      <Failure>
        <Suspense fallback={<Skeleton height={160} animate={false} />}>
          <LineChart chart={chart} unit={unit} {...shown} />
        </Suspense>
      </Failure>
    </section>
  );
}
