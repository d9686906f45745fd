import { useQuery } from '@tanstack/react-query';
import { useDebouncedValue } from '@mantine/hooks';
import { useMemo } from 'react';
import { TypedDocumentString } from '../gql/graphql';
import { request } from '../lib/request';

export interface Sparkline {
  /** In order, of the last hour. */
  points: readonly { at: string; value: number }[];
}

interface Answer {
  metrics: readonly Sparkline[];
}

/** How often they are loaded again. */
const AGAIN_AFTER_MS = 60_000;
/** While the list is scrolled, nothing is loaded. */
const SETTLED_AFTER_MS = 300;
/** The seconds of one point. */
const STEP_SECONDS = 300;

/** The transactions per second of the instances that are shown, by id: one request for all of them. */
export function useSparklines(ids: readonly string[]): ReadonlyMap<string, Sparkline> {
  const [wanted] = useDebouncedValue(ids.join(), SETTLED_AFTER_MS);
  const { data } = useQuery({
    queryKey: ['sparklines', wanted],
    queryFn: () => load(wanted.split(',')),
    enabled: wanted !== '',
    refetchInterval: AGAIN_AFTER_MS,
    gcTime: AGAIN_AFTER_MS,
    // Rows that stay on the screen keep theirs.
    placeholderData: (previous) => previous,
  });
  return useMemo(() => data ?? new Map(), [data]);
}

async function load(ids: readonly string[]): Promise<ReadonlyMap<string, Sparkline>> {
  const document = new TypedDocumentString<Record<string, Answer | null>, Record<string, string>>(sparklinesDocument(ids.length));
  const answers = await request(document, Object.fromEntries(ids.map((id, index) => [`i${index}`, id])));
  return new Map(ids.flatMap((id, index) => answers[`a${index}`]?.metrics.map((sparkline) => [id, sparkline] as const) ?? []));
}

/** A field for each instance, because a list cannot be asked for some of them. */
export function sparklinesDocument(count: number): string {
  const numbers = Array.from({ length: count }, (_, index) => index);
  const variables = numbers.map((number) => `$i${number}: ID!`).join(', ');
  const fields = numbers.map((number) => `a${number}: instance(id: $i${number}) { ...S }`).join(' ');
  return `query Sparklines(${variables}) { ${fields} } fragment S on Instance { metrics(names: [COMMITS], stepSeconds: ${STEP_SECONDS}) { points { at value } } }`;
}

/** The points of an SVG polyline of this size. A time without a value interrupts nothing: the next point follows. */
export function polyline({ points }: Sparkline, width: number, height: number): string {
  const times = points.map(({ at }) => Date.parse(at));
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  const highest = Math.max(...points.map(({ value }) => value), 1e-9);
  return points
    .map(({ value }, index) => {
      const x = last > first ? (((times[index] ?? first) - first) / (last - first)) * width : width;
      return `${x.toFixed(1)},${(height - 1 - (value / highest) * (height - 2)).toFixed(1)}`;
    })
    .join(' ');
}
