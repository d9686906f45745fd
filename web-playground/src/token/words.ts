import { Ban, CircleCheck, TimerOff } from 'lucide-react';
import type { Status } from '../frame/status-mark';
import type { TokenRole, TokenRowFragment } from '../gql/graphql';

export const ROLES: Record<TokenRole, { name: string; may: string }> = {
  VIEWER: { name: 'Viewer', may: 'Sees everything but secrets' },
  OPERATOR: { name: 'Operator', may: 'Sees secrets too; creates, changes and deletes instances' },
  ADMIN: { name: 'Admin', may: 'Makes and revokes tokens too' },
};

/** How a token stands at a point in time. */
export function standing({ revokedAt, expiresAt }: Pick<TokenRowFragment, 'revokedAt' | 'expiresAt'>, now: number): Status {
  if (revokedAt) return { icon: Ban, word: 'Revoked', tone: 'quiet' };
  if (expiresAt && Date.parse(expiresAt) <= now) return { icon: TimerOff, word: 'Expired', tone: 'quiet' };
  return { icon: CircleCheck, word: 'Active', tone: 'good' };
}
