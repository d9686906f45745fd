import { CircleAlert, CircleCheck, CirclePause, CircleX } from 'lucide-react';
import type { Look } from '../frame/status-mark';
import type { WebhookEventType, WebhookRowFragment } from '../gql/graphql';

export type WebhookStatus = 'ENABLED' | 'FAILING' | 'DISABLED' | 'GIVEN_UP';

export const WEBHOOK_STATUSES: Record<WebhookStatus, Look> = {
  ENABLED: { icon: CircleCheck, tone: 'good' },
  FAILING: { icon: CircleAlert, tone: 'bad' },
  DISABLED: { icon: CirclePause, tone: 'quiet' },
  GIVEN_UP: { icon: CircleX, tone: 'bad' },
};

/** The status with its reason, if it needs one. */
export function webhookStatus({ state, disabled, failingSince, lastAttempt }: WebhookRowFragment): { status: WebhookStatus; reason?: string } {
  if (disabled) return { status: disabled.code === 'REQUESTED' ? 'DISABLED' : 'GIVEN_UP', reason: disabled.message };
  if (failingSince) return { status: 'FAILING', reason: lastAttempt?.error ?? undefined };
  return { status: state };
}

/** What each kind of message is about. */
export const EVENT_TYPES: Record<WebhookEventType, string> = {
  INSTANCE_CREATED: 'Instance created',
  INSTANCE_STATE_CHANGED: 'Instance state changed',
  INSTANCE_HEALTH_CHANGED: 'Instance health changed',
  INSTANCE_UPDATED: 'Instance updated',
  INSTANCE_REPAIRED: 'Instance repaired',
  OPERATION_CREATED: 'Operation created',
  OPERATION_CHANGED: 'Operation changed',
  OPERATION_PROGRESSED: 'Operation progressed',
  NOTICE_RAISED: 'Notice raised',
  NOTICE_CLEARED: 'Notice cleared',
};
