import { useEffect, useRef, useState } from 'react';
import { graphql } from '../gql';
import type { InstanceLogsSubscription, LogSeverity } from '../gql/graphql';
import { perFrame } from '../lib/per-frame';
import { follow } from '../live/connection';
import { LogBuffer } from './buffer';

type Batch = InstanceLogsSubscription['instanceLogs'];

/** Entries to begin with. */
const TAIL = 1000;

export interface InstanceLog {
  buffer: LogBuffer;
  /** Grows whenever the buffer changes. */
  version: number;
  error?: Error;
  /** Whether anything, or nothing, is known to be in the log. */
  loaded: boolean;
}

/** After how long an empty log counts as empty. */
const EMPTY_AFTER_MS = 1500;

/**
 * The log of an instance of a severity and above, live while `following`. When it is followed again, it goes on where it was.
 */
export function useInstanceLog(instanceId: string, severity: LogSeverity | null, following: boolean): InstanceLog {
  const [log, setLog] = useState<InstanceLog>(() => ({ buffer: new LogBuffer(), version: 0, loaded: false }));
  const { buffer } = log;
  const position = useRef<{ of: string; cursor: string | null }>({ of: '', cursor: null });
  useEffect(() => {
    if (!following) return;
    const of = `${instanceId} ${severity ?? ''}`;
    const changed = (more: Partial<InstanceLog> = {}) => setLog((before) => ({ ...before, error: undefined, loaded: true, ...more, version: before.version + 1 }));
    if (position.current.of !== of) {
      position.current = { of, cursor: null };
      buffer.clear();
      changed({ loaded: false });
    }
    const frame = perFrame(() => changed());
    const empty = setTimeout(() => frame.schedule(), EMPTY_AFTER_MS);
    const stop = follow<InstanceLogsSubscription, Batch>({
      query: INSTANCE_LOGS.toString(),
      variables: { instanceId, severity, tail: TAIL },
      after: position.current.cursor,
      next: ({ cursor, entries, gap }) => {
        position.current.cursor = cursor;
        buffer.append(entries, gap);
        frame.schedule();
      },
      reset: () => {
        buffer.clear();
        frame.schedule();
      },
      error: (error) => changed({ error }),
    });
    return () => {
      stop();
      clearTimeout(empty);
      frame.cancel();
    };
  }, [instanceId, severity, following, buffer]);
  return log;
}

const INSTANCE_LOGS = graphql(`
  subscription InstanceLogs($instanceId: ID!, $tail: Int, $after: String, $severity: LogSeverity) {
    instanceLogs(instanceId: $instanceId, tail: $tail, after: $after, severity: $severity) {
      cursor
      gap
      entries {
        ...LogLine
      }
    }
  }

  fragment LogLine on LogEntry {
    cursor
    time
    severity
    sqlstate
    message
    detail
    hint
    context
    statement
    username
    database
    applicationName
    pid
  }
`);
