import { useMemo } from 'react';
import { useSearchParams } from 'wouter';
import type { InstanceFilter } from './filter';
import { HEALTH_NAMES, STATE_NAMES } from './status';

/** The filter lives in the address, so that it survives going to an instance and back, and can be sent to somebody. */
export function useFilter(): [InstanceFilter, (filter: InstanceFilter) => void] {
  const [params, setParams] = useSearchParams();
  const filter = useMemo(
    () => ({
      text: params.get('q') ?? '',
      states: known(STATE_NAMES, params.getAll('state')),
      healths: known(HEALTH_NAMES, params.getAll('health')),
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

function known<Value extends string>(names: readonly { value: Value }[], values: string[]): Value[] {
  return names.map(({ value }) => value).filter((value) => values.includes(value));
}
