import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useCallback, useEffect, useRef, useState } from 'react';
import type { LogLineFragment } from '../gql/graphql';
import { label } from '../lib/label';
import { clock, full } from '../time/format';
import { zone } from '../time/zone';
import type { Line } from './buffer';
import classes from './panel.module.css';

const LINE_HEIGHT = 26;
/** Pixels from the end within which the newest line stays in view. */
const AT_END = 40;

/** The lines of a log, of which those in view are in the document. The newest stays in view unless somebody scrolls up. */
export function LogLines({ lines, version }: { lines: readonly Line[]; version: number }) {
  const scroller = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const [opened, open] = useState<string>();
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_HEIGHT,
    getItemKey: (index) => lines[index]?.key ?? index,
    overscan: 6,
  });
  // All lines are of the same height but the one that is opened, which alone is measured. Whatever was measured is forgotten before another is.
  const toggle = useCallback(
    (key: string) => {
      virtual.measure();
      open((before) => (before === key ? undefined : key));
    },
    [virtual],
  );
  const count = lines.length;
  useEffect(() => {
    const element = scroller.current;
    if (atEnd.current && element) element.scrollTop = element.scrollHeight;
  }, [count, version]);
  const scrolled = () => {
    const element = scroller.current;
    if (element) atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < AT_END;
  };
  return (
    <div ref={scroller} className={classes.scroller} onScroll={scrolled} tabIndex={0} role="group" aria-label="Entries of the log, scrollable">
      <ol className={classes.lines} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, key, start }) => {
          const line = lines[index];
          return (
            line && (
              <li
                key={key}
                ref={opened === line.key ? virtual.measureElement : undefined}
                data-index={index}
                aria-setsize={count}
                aria-posinset={index + 1}
                className={classes.line}
                style={{ transform: `translateY(${start}px)` }}
              >
                {line.entry ? (
                  <Entry entry={line.entry} opened={opened === line.key} onToggle={toggle} />
                ) : (
                  <span className={classes.gap}>Entries are missing here: they came faster than they were read, or are not kept any more</span>
                )}
              </li>
            )
          );
        })}
      </ol>
    </div>
  );
}

const Entry = memo(function Entry({ entry, opened, onToggle }: { entry: LogLineFragment; opened: boolean; onToggle: (key: string) => void }) {
  const { cursor, time, severity, message } = entry;
  return (
    <>
      <button type="button" className={classes.summary} aria-expanded={opened} onClick={() => onToggle(cursor)}>
        {time ? (
          <time dateTime={time}>{shownTime(time)}</time>
        ) : (
          <span />
        )}
        <span className={classes.severity} data-severity={severity}>
          {label(severity)}
        </span>
        <span className={classes.message}>{message}</span>
      </button>
      {opened && <Details entry={entry} />}
    </>
  );
});

/** The times that were formatted last. Formatting takes longer than the rest of a line, and many lines are of the same second. */
let formatted = { of: '', times: new Map<string, string>() };

function shownTime(time: string): string {
  const now = Date.now();
  // Dates are left out of those of today, which ends with an hour.
  const of = `${zone.get()} ${Math.floor(now / 3_600_000)}`;
  if (formatted.of !== of || formatted.times.size > 10_000) formatted = { of, times: new Map() };
  const second = time.slice(0, 19);
  let text = formatted.times.get(second);
  if (text === undefined) formatted.times.set(second, (text = clock(time, now)));
  return text;
}

function Details({ entry }: { entry: LogLineFragment }) {
  const { time, sqlstate, message, detail, hint, context, statement, username, database, applicationName, pid } = entry;
  const parts: [string, string | number | null | undefined][] = [
    ['Time', time && full(time)],
    ['Message', message],
    ['Detail', detail],
    ['Hint', hint],
    ['Context', context],
    ['Statement', statement],
    ['SQLSTATE', sqlstate],
    ['Client', [username, database, applicationName].filter(Boolean).join(' · ')],
    ['Process', pid],
  ];
  return (
    <dl className={classes.details}>
      {parts.map(
        ([name, value]) =>
          value != null &&
          value !== '' && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
