import { useMemo } from 'react';
import { useSearchParams } from 'wouter';
import type { InstanceFilter } from './filter';
import { HEALTH_VALUES, STATE_VALUES } from './states';

/** The filter is part of the URL, so that it survives navigation and can be shared. */
export function useFilter(): [InstanceFilter, (filter: InstanceFilter) => void] {
  const [params, setParams] = useSearchParams();
  const filter = useMemo(
    () => ({
      text: params.get('q') ?? '',
      states: known(STATE_VALUES, params.getAll('state')),
      healths: known(HEALTH_VALUES, params.getAll('health')),
    }),
    [params],
  );

  function setFilter({ text, states, healths }: InstanceFilter): void {
    const next = new URLSearchParams();
    if (text) next.set('q', text);
    for (const state of states) next.append('state', state);
    for (const health of healths) next.append('health', health);
    setParams(next, { replace: true });
  }

  return [filter, setFilter];
}

function known<Value extends string>(all: readonly Value[], values: string[]): Value[] {
  return all.filter((value) => values.includes(value));
}
