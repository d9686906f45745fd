import { Ban, CircleCheck, TimerOff } from 'lucide-react';
import type { Look } from '../frame/status-mark';
import type { TokenRole, TokenRowFragment } from '../gql/graphql';

/** What each role permits. */
export const ROLES: Record<TokenRole, string> = {
  VIEWER: 'Reads everything but secrets',
  OPERATOR: 'Reads secrets; creates, changes and deletes instances',
  ADMIN: 'Creates and revokes API tokens',
};

export type TokenStatus = 'ACTIVE' | 'EXPIRED' | 'REVOKED';

export const TOKEN_STATUSES: Record<TokenStatus, Look> = {
  ACTIVE: { icon: CircleCheck, tone: 'good' },
  EXPIRED: { icon: TimerOff, tone: 'quiet' },
  REVOKED: { icon: Ban, tone: 'quiet' },
};

export function tokenStatus({ revokedAt, expiresAt }: Pick<TokenRowFragment, 'revokedAt' | 'expiresAt'>, now: number): TokenStatus {
  if (revokedAt) return 'REVOKED';
  return expiresAt && Date.parse(expiresAt) <= now ? 'EXPIRED' : 'ACTIVE';
}
