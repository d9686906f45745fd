import { describe, expect, test } from 'vitest';
import { bytes, spans } from './timeline';

const at = (minute: number) => new Date(Date.UTC(2026, 10, 29, 10, minute)).toISOString();

describe('the timeline', () => {
  test('is empty while nothing can be restored', () => {
    expect(spans([], [], Date.now())).toEqual([]);
  });

  test('shows a gap between what can be restored', () => {
    const parts = spans([{ from: at(0), to: at(20) }, { from: at(30), to: at(40) }], [{ from: at(20), to: at(30), reason: 'SLOT_LOST' }], Date.parse(at(40)));
    expect(parts.map(({ kind, left, width }) => [kind, left, width])).toEqual([
      ['covered', 0, 50],
      ['gap', 50, 25],
      ['covered', 75, 25],
    ]);
  });

  test('ends where the latest point is, also if the clock of the browser is behind', () => {
    const [part] = spans([{ from: at(0), to: at(10) }], [], Date.parse(at(5)));
    expect([part?.left, part?.width]).toEqual([0, 100]);
  });

  test('shows a short range', () => {
    expect(spans([{ from: at(0), to: at(0) }], [], Date.parse(at(50)))[0]?.width).toBe(0.5);
  });
});

test('sizes', () => {
  expect(['512', '1572864', '21474836480', '104857600'].map(bytes)).toEqual(['512 B', '1.5 MiB', '20.0 GiB', '100 MiB']);
});
