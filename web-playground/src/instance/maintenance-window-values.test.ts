import { expect, test } from 'vitest';
import { NEVER, noWindow, windowInput, windowValidation } from './maintenance-window-values';

const MINUTES = { min: 10, max: 1440, default: 60 };

test('nothing is sent without a window', () => {
  expect(noWindow(MINUTES)).toEqual({ weekday: NEVER, startTime: '03:00', durationMinutes: 60 });
  expect(windowInput(noWindow(MINUTES))).toBeNull();
});

test('a window is sent with its length as a number', () => {
  expect(windowInput({ weekday: 'SUNDAY', startTime: '23:30', durationMinutes: '90' })).toEqual({ weekday: 'SUNDAY', startTime: '23:30', durationMinutes: 90 });
});

test('the length is checked if there is a window', () => {
  const { durationMinutes } = windowValidation(MINUTES);
  const check = (weekday: string, minutes: number | string) => durationMinutes(minutes, { maintenanceWindow: { weekday, startTime: '03:00', durationMinutes: minutes } });
  expect(check('SUNDAY', 10)).toBeNull();
  expect(check('SUNDAY', 9)).toBe('Must be 10 to 1440 minutes');
  expect(check('SUNDAY', '')).toBe('Must be 10 to 1440 minutes');
  expect(check(NEVER, '')).toBeNull();
});
