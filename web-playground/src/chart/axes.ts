import type uPlot from 'uplot';
import { dates, minutes } from '../time/format';

/** The colours of a chart, which a canvas keeps: they are those of the style of its element. */
export function palette(style: CSSStyleDeclaration) {
  const colour = (name: string) => style.getPropertyValue(`--chart-${name}`);
  return { line: colour('line'), panel: colour('panel'), text: colour('text'), good: colour('good'), bad: colour('bad'), series: ['1', '2', '3', '4'].map(colour) };
}

const DAY_S = 86_400;

/** What all charts over time have in common. `format` labels the values at the left. */
export function timeChart(size: { width: number; height: number }, { line, text }: { line: string; text: string }, format: (value: number) => string) {
  const axis = { stroke: text, font: '12px system-ui, sans-serif', grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  return {
    ...size,
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    axes: [
      { ...axis, space: 80, values: (chart, times) => times.map((time) => (longerThan(chart, 4 * DAY_S) ? dates : minutes)(time * 1000)) },
      { ...axis, size: 64, values: (_, values) => values.map(format) },
    ],
  } satisfies Omit<uPlot.Options, 'series'>;
}

function longerThan({ scales }: uPlot, seconds: number): boolean {
  const { min, max } = scales.x ?? {};
  return (max ?? 0) - (min ?? 0) > seconds;
}
