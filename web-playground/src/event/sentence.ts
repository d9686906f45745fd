import type { EventLineFragment } from '../gql/graphql';
import { label } from '../lib/label';
import { nameOf } from '../operation/names';

type Told = Pick<EventLineFragment, 'type' | 'from' | 'to' | 'operation'> & { notices: readonly EventLineFragment['notices'][number][] };

/** The text of an event; its reason, and what its notices say, are shown separately. */
export function sentence({ type, from, to, operation, notices }: Told): string {
  const what = operation ? nameOf(operation) : 'Operation';
  switch (type) {
    case 'STATE_CHANGED':
      return `State: ${change(from, to)}`;
    case 'HEALTH_CHANGED':
      return `Health: ${change(from, to)}`;
    case 'INSTANCE_CREATED':
      return 'Instance requested';
    case 'INSTANCE_UPDATED':
      if (notices.length === 0) return label(type);
      return notices.map(({ raised, notice }) => `Notice ${raised ? 'raised' : 'cleared'}: ${label(notice.code).toLowerCase()}`).join('; ');
    case 'INSTANCE_REPAIRED':
      return label(type);
    case 'OPERATION_CREATED':
      return `${what}: requested`;
    case 'OPERATION_CHANGED':
      return `${what}: ${change(from, to)}`;
    case 'OPERATION_PROGRESSED':
      return `${what}: step updated`;
  }
}

function change(from?: string | null, to?: string | null): string {
  return [from, to].map((value) => value?.toLowerCase() ?? '—').join(' → ');
}
