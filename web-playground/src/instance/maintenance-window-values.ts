import { initialValue, inRange, type Range } from '../form/range';
import type { MaintenanceWindowInput, Weekday } from '../gql/graphql';

/** Instead of a weekday. */
export const NEVER = 'NEVER';

/** A maintenance window, as a form has it. */
export interface MaintenanceWindowValues {
  /** [`NEVER`] for none. */
  weekday: string;
  startTime: string;
  durationMinutes: number | string;
}

/** What a form holds at first for an instance without a window. */
export function noWindow(minutes: Range): MaintenanceWindowValues {
  return { weekday: NEVER, startTime: '03:00', durationMinutes: initialValue(minutes) };
}

/** Checks the window, for `useForm`. The fields of none are not shown, so they have no errors. */
export function windowValidation(minutes: Range) {
  const check = inRange(minutes, 'minutes');
  return {
    durationMinutes: (value: number | string, { maintenanceWindow }: { maintenanceWindow: MaintenanceWindowValues }) =>
      maintenanceWindow.weekday === NEVER ? null : check(value),
  };
}

/** The input of a mutation, from valid values; null for no window. */
export function windowInput({ weekday, startTime, durationMinutes }: MaintenanceWindowValues): MaintenanceWindowInput | null {
  return weekday === NEVER ? null : { weekday: weekday as Weekday, startTime, durationMinutes: Number(durationMinutes) };
}
