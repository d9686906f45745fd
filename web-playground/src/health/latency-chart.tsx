import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useEffect, useRef, useState } from 'react';
import uPlot, { type AlignedData } from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { palette, timeChart } from '../chart/axes';
import classes from '../chart/chart.module.css';
import type { SampleFragment } from '../gql/graphql';
import { sentenceCase } from '../lib/label';
import { useStore } from '../lib/store';
import { full } from '../time/format';
import { zone } from '../time/zone';
import { milliseconds } from './milliseconds';
import { nearest, type Series } from './window';

const HEIGHT = 200;

interface Point {
  sample: SampleFragment;
  /** In CSS pixels, within the chart. */
  left: number;
}

export default function LatencyChart({ series }: { series: Series }) {
  const { ref, width } = useElementSize();
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const scheme = useComputedColorScheme('light');
  const times = useStore(zone);
  const latest = useRef(series);
  const [point, setPoint] = useState<Point>();

  // A canvas keeps its colours, so another colour scheme or time zone needs another chart.
  useEffect(() => {
    if (!host.current || !width) return;
    const onCursor = (chart: uPlot) => setPoint(pointAt(chart, latest.current));
    const made = new uPlot(options(width, getComputedStyle(host.current), onCursor), toData(latest.current), host.current);
    chart.current = made;
    return () => {
      made.destroy();
      chart.current = undefined;
    };
  }, [width, scheme, times]);

  useEffect(() => {
    latest.current = series;
    chart.current?.setData(toData(series));
  }, [series]);

  return (
    <div ref={ref} className={classes.chart} style={{ height: HEIGHT }}>
      <div ref={host} role="img" aria-label="Latency of the health checks over time; the figures are above, the last failure is below" />
      {point && (
        <div className={classes.tooltip} style={{ left: point.left }} data-side={point.left > width / 2 ? 'left' : 'right'} role="tooltip">
          <time dateTime={point.sample.at}>{full(point.sample.at)}</time>
          <strong data-failed={point.sample.status === 'UNHEALTHY' || undefined}>
            {point.sample.status === 'UNHEALTHY' ? '✕ Failed' : milliseconds(point.sample.latencyMs)}
          </strong>
          {point.sample.loggedIn && <span>◇ with a login</span>}
          {point.sample.error && <span>{sentenceCase(point.sample.error.message)}</span>}
        </div>
      )}
    </div>
  );
}

function toData({ times, latencies, failures, logins }: Series): AlignedData {
  return [times, latencies, failures, logins];
}

/** The sample next to the cursor, if the cursor is in the chart. */
function pointAt(chart: uPlot, series: Series): Point | undefined {
  const { left } = chart.cursor;
  if (left === undefined || left < 0) return undefined;
  const index = nearest(series, chart.posToVal(left, 'x'));
  const sample = index === undefined ? undefined : series.samples[index];
  const time = index === undefined ? undefined : series.times[index];
  if (!sample || time === undefined) return undefined;
  return { sample, left: chart.valToPos(time, 'x') + chart.bbox.left / devicePixelRatio };
}

function options(width: number, style: CSSStyleDeclaration, onCursor: (chart: uPlot) => void): uPlot.Options {
  const colours = palette(style);
  const { good, bad, panel } = colours;
  return {
    ...timeChart({ width, height: HEIGHT }, colours, (value) => (value < 1000 ? `${value}ms` : `${value / 1000}s`)),
    // As long as the window, and with a scale also when there is nothing to show.
    scales: { x: { range: (_, min, max) => [min, max] }, y: { range: (_, __, max) => [0, Math.max(1, (max ?? 0) * 1.15)] } },
    series: [
      {},
      { stroke: good, width: 2, spanGaps: false, points: { show: (chart) => (chart.data[0].length < width / 8), size: 5, stroke: good, fill: good } },
      { paths: () => null, points: { show: false } },
      { paths: () => null, points: { show: false } },
    ],
    hooks: { draw: [(chart) => drawLogins(chart, good, panel), (chart) => drawFailures(chart, bad)], setCursor: [onCursor], setData: [onCursor] },
  };
}

/** A diamond, so that checks that logged in differ in shape; as many as there is room for. */
function drawLogins(chart: uPlot, colour: string, background: string): void {
  const { ctx, bbox, data } = chart;
  const [times, , , logins] = data;
  const size = 4.5 * devicePixelRatio;
  const marks: [number, number][] = [];
  logins?.forEach((latency, index) => {
    const time = times[index];
    if (latency == null || time === undefined) return;
    marks.push([chart.valToPos(time, 'x', true), chart.valToPos(latency, 'y', true)]);
  });
  if (marks.length * 3 * size > bbox.width) return;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.fillStyle = background;
  ctx.lineWidth = 2 * devicePixelRatio;
  for (const [x, y] of marks) {
    ctx.beginPath();
    ctx.moveTo(x, y - size);
    ctx.lineTo(x + size, y);
    ctx.lineTo(x, y + size);
    ctx.lineTo(x - size, y);
    ctx.closePath();
    ctx.fill();
    ctx.stroke();
  }
  ctx.restore();
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
