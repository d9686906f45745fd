import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useEffect, useRef, useState } from 'react';
import uPlot, { type AlignedData } from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { palette, timeChart } from '../chart/axes';
import chartClasses from '../chart/chart.module.css';
import type { MetricUnit } from '../gql/graphql';
import { useStore } from '../lib/store';
import { full } from '../time/format';
import { zone } from '../time/zone';
import type { Chart } from './charts';
import { format, tick } from './format';

const HEIGHT = 160;
/** Lines differ in their pattern, and not in their colour only. */
export const DASHES = [[], [8, 4], [2, 3], [12, 4, 2, 4]];

interface Props {
  chart: Chart;
  unit: MetricUnit;
  times: number[];
  values: (number | null)[][];
}

/** The lines of one chart, with the values at the pointer. */
export default function LineChart({ chart, unit, times, values }: Props) {
  const { ref, width } = useElementSize();
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const scheme = useComputedColorScheme('light');
  const shownZone = useStore(zone);
  const latest = useRef<AlignedData>([]);
  const [point, setPoint] = useState<{ index: number; left: number }>();

  // A canvas keeps its colours, so another colour scheme or time zone needs another chart.
  useEffect(() => {
    if (!host.current || !width) return;
    const onCursor = (plot: uPlot) => setPoint(pointAt(plot));
    const made = new uPlot(options(chart, unit, width, getComputedStyle(host.current), onCursor), latest.current, host.current);
    plot.current = made;
    return () => {
      made.destroy();
      plot.current = undefined;
    };
  }, [chart, unit, width, scheme, shownZone]);

  useEffect(() => {
    latest.current = [times, ...values];
    plot.current?.setData(latest.current);
  }, [times, values]);

  const at = point && times[point.index];
  return (
    <div ref={ref} className={chartClasses.chart} style={{ height: HEIGHT }}>
      <div ref={host} role="img" aria-label={`${chart.title} over time; the latest values are above`} />
      {point && at !== undefined && (
        <div className={chartClasses.tooltip} style={{ left: point.left }} data-side={point.left > width / 2 ? 'left' : 'right'} role="tooltip">
          <time dateTime={new Date(at * 1000).toISOString()}>{full(new Date(at * 1000).toISOString())}</time>
          {chart.lines.map(({ name, label }, index) => (
            <strong key={name}>
              {format(values[index]?.[point.index], unit)} <span>{label}</span>
            </strong>
          ))}
        </div>
      )}
    </div>
  );
}

function pointAt(plot: uPlot): { index: number; left: number } | undefined {
  const { left, idx } = plot.cursor;
  const time = idx == null ? undefined : plot.data[0]?.[idx];
  if (left === undefined || left < 0 || idx == null || time === undefined) return undefined;
  return { index: idx, left: plot.valToPos(time, 'x') + plot.bbox.left / devicePixelRatio };
}

function options(chart: Chart, unit: MetricUnit, width: number, style: CSSStyleDeclaration, onCursor: (plot: uPlot) => void): uPlot.Options {
  const colours = palette(style);
  return {
    ...timeChart({ width, height: HEIGHT }, colours, (value) => tick(value, unit)),
    scales: { x: { range: (_, min, max) => [min, max] }, y: { range: (_, __, max) => [0, chart.atLeast ?? Math.max(FLOOR[unit] ?? 1, (max ?? 0) * 1.1)] } },
    series: [
      {},
      ...chart.lines.map((_, index) => {
        const stroke = colours.series[index] ?? colours.text;
        const show = (plot: uPlot) => plot.data[0].length < width / 8;
        return { stroke, width: 2, dash: DASHES[index] ?? [], spanGaps: false, points: { show, size: 4, stroke, fill: stroke } };
      }),
    ],
    hooks: { setCursor: [onCursor], setData: [onCursor] },
  };
}

/** What the axis at least goes up to, so that it has a scale without values. */
const FLOOR: Partial<Record<MetricUnit, number>> = { PER_SECOND: 0.1, BYTES: 1000, BYTES_PER_SECOND: 1000 };
