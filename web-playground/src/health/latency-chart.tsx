import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useEffect, useMemo, useRef } from 'react';
import uPlot, { type AlignedData } from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { SampleFragment } from '../gql/graphql';
import classes from './latency-chart.module.css';

const HEIGHT = 200;
const MINUTES = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const SECONDS = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });

/** `samples` are ordered from the newest to the oldest. */
export default function LatencyChart({ samples }: { samples: readonly SampleFragment[] }) {
  const { ref, width } = useElementSize();
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const scheme = useComputedColorScheme('light');
  const data = useMemo(() => toData(samples), [samples]);
  const latest = useRef(data);

  // A canvas keeps its colours, so another colour scheme needs another chart.
  useEffect(() => {
    if (!host.current || !width) return;
    const made = new uPlot(options(width, getComputedStyle(host.current)), latest.current, host.current);
    chart.current = made;
    return () => {
      made.destroy();
      chart.current = undefined;
    };
  }, [width, scheme]);

  useEffect(() => {
    latest.current = data;
    chart.current?.setData(data);
  }, [data]);

  return (
    <div ref={ref} className={classes.chart} style={{ height: HEIGHT }} role="img" aria-label="Latency of the health checks over time; the figures are above, the last failure is below">
      <div ref={host} />
    </div>
  );
}

/** Times in seconds, latencies of successful checks, and zeros for failed checks. */
function toData(samples: readonly SampleFragment[]): AlignedData {
  const inOrder = samples.toReversed();
  return [
    inOrder.map(({ at }) => Date.parse(at) / 1000),
    inOrder.map(({ status, latencyMs }) => (status === 'HEALTHY' ? latencyMs : null)),
    inOrder.map(({ status }) => (status === 'UNHEALTHY' ? 0 : null)),
  ];
}

function options(width: number, style: CSSStyleDeclaration): uPlot.Options {
  const colour = (name: string) => style.getPropertyValue(name);
  const [line, quiet, good, bad] = ['--chart-line', '--chart-text', '--chart-good', '--chart-bad'].map(colour) as [string, string, string, string];
  const axis = { stroke: quiet, font: '12px system-ui, sans-serif', grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.15)] } },
    axes: [{ ...axis, space: 80, values: (_, times, __, ___, step) => times.map((time) => (step < 60 ? SECONDS : MINUTES).format(time * 1000)) }, { ...axis, size: 64, values: (_, values) => values.map((value) => (value < 1000 ? `${value} ms` : `${value / 1000} s`)) }],
    series: [
      {},
      { stroke: good, width: 2, spanGaps: false, points: { show: true, size: 5, stroke: good, fill: good } },
      { paths: () => null, points: { show: false } },
    ],
    hooks: { draw: [(chart) => drawFailures(chart, bad)] },
  };
}

/** A cross on a dashed vertical line, so that failures differ in shape and not in colour only. */
function drawFailures(chart: uPlot, colour: string): void {
  const { ctx, bbox, data } = chart;
  const [times, , failures] = data;
  const size = 4 * devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2 * devicePixelRatio;
  failures?.forEach((failure, index) => {
    const time = times[index];
    if (failure == null || time === undefined) return;
    const x = chart.valToPos(time, 'x', true);
    const y = bbox.top + bbox.height - 2 * size;
    ctx.globalAlpha = 0.35;
    ctx.setLineDash([size, size]);
    stroke(ctx, [x, bbox.top, x, bbox.top + bbox.height]);
    ctx.globalAlpha = 1;
    ctx.setLineDash([]);
    stroke(ctx, [x - size, y - size, x + size, y + size]);
    stroke(ctx, [x - size, y + size, x + size, y - size]);
  });
  ctx.restore();
}

function stroke(ctx: CanvasRenderingContext2D, [x1, y1, x2, y2]: [number, number, number, number]): void {
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}
