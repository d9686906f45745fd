import type { EventLineFragment } from '../gql/graphql';
import { KINDS } from '../operation/words';

/** An event as people would say it; its reason is shown beside. */
export function sentence({ type, from, to, operation }: Pick<EventLineFragment, 'type' | 'from' | 'to' | 'operation'>): string {
  const what = operation ? KINDS[operation.kind] : 'Operation';
  switch (type) {
    case 'INSTANCE_CREATED':
      return 'Instance asked for';
    case 'STATE_CHANGED':
      return `State: ${change(from, to)}`;
    case 'HEALTH_CHANGED':
      return `Health: ${change(from, to)}`;
    case 'INSTANCE_UPDATED':
      return 'Settings or endpoint changed';
    case 'OPERATION_CREATED':
      return `${what}: accepted`;
    case 'OPERATION_CHANGED':
      return `${what}: ${change(from, to)}`;
    case 'OPERATION_PROGRESSED':
      return `${what}: a step went on`;
  }
}

function change(from?: string | null, to?: string | null): string {
  return [from, to].map((value) => value?.toLowerCase() ?? '—').join(' → ');
}
