import { CirclePause, CirclePlay, type LucideIcon, RotateCw, Tags, Trash2 } from 'lucide-react';
import { label } from '../lib/label';

/** What can be done to an instance from the list: operations, named like their kinds, and the change of its labels. */
export const ROW_ACTIONS = {
  RESTART: RotateCw,
  SUSPEND: CirclePause,
  RESUME: CirclePlay,
  LABELS: Tags,
  DELETE: Trash2,
} satisfies Record<string, LucideIcon>;

export type RowAction = keyof typeof ROW_ACTIONS;

/** Those that can be done to several instances at once. */
export const BULK_ACTIONS = ['RESTART', 'LABELS', 'DELETE'] as const satisfies RowAction[];

export type BulkAction = (typeof BULK_ACTIONS)[number];

/** The label of a button that opens a dialog. */
export function actionLabel(action: RowAction): string {
  return action === 'LABELS' ? 'Edit labels' : label(action);
}
