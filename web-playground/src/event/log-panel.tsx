import { ScrollArea, Skeleton, Switch, Text } from '@mantine/core';
import { useState } from 'react';
import { Panel } from '../frame/panel';
import { graphql } from '../gql';
import type { EventLineFragment, EventsSubscription, EventsSubscriptionVariables } from '../gql/graphql';
import type { PanelProps } from '../instance/sections';
import { sentenceCase } from '../lib/label';
import { request } from '../lib/request';
import { useLog } from '../live/use-log';
import { clock, full } from '../time/format';
import classes from './log-panel.module.css';
import { sentence } from './sentence';

const LIMIT = 200;

/** The event log of an instance, the newest first, live. */
export function EventLogPanel({ instance: { id: instanceId } }: PanelProps) {
  const { items, error } = useLog<EventLineFragment, EventsSubscription, EventsSubscriptionVariables>({
    key: ['events', instanceId],
    load: async () => (await request(EVENT_HISTORY, { instanceId, last: LIMIT })).instance?.events.nodes.toReversed() ?? [],
    query: EVENTS,
    variables: { instanceId },
    limit: LIMIT,
  });
  const [all, setAll] = useState(false);
  const shown = items?.filter(({ type, reason }) => all || type !== 'OPERATION_PROGRESSED' || reason);

  return (
    <Panel
      title="Events"
      aside={<Switch size="sm" label="Show steps" labelPosition="left" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />}
    >
      {error && <Text className="error">{sentenceCase(error.message)}</Text>}
      {!shown && !error && <Skeleton height={160} />}
      {shown && (
        <ScrollArea.Autosize mah={420} type="auto" viewportProps={{ tabIndex: 0, role: 'region', 'aria-label': 'Event log' }}>
          <ol className={classes.log}>
            {shown.map((event) => (
              <li key={event.cursor} className={classes.line}>
                <time dateTime={event.at} title={full(event.at)}>
                  {clock(event.at, Date.now())}
                </time>
                <span>
                  {sentence(event)}
                  {event.notices.map(
                    ({ raised, notice }) =>
                      raised && (
                        <span key={notice.code} className={classes.reason}>
                          {sentenceCase(notice.message)}
                        </span>
                      ),
                  )}
                  {event.reason && <span className={classes.reason}>{sentenceCase(event.reason.message)}</span>}
                </span>
              </li>
            ))}
          </ol>
        </ScrollArea.Autosize>
      )}
    </Panel>
  );
}

const EVENT_HISTORY = graphql(`
  query EventHistory($instanceId: ID!, $last: Int!) {
    instance(id: $instanceId) {
      events(last: $last) {
        nodes {
          ...EventLine
        }
      }
    }
  }

  fragment EventLine on InstanceEvent {
    cursor
    type
    at
    from
    to
    reason {
      code
      message
    }
    operation {
      id
      kind
      restoration {
        clones
      }
    }
    notices {
      raised
      notice {
        code
        message
      }
    }
  }
`);

const EVENTS = graphql(`
  subscription Events($instanceId: ID!, $after: String) {
    instanceEvents(instanceId: $instanceId, after: $after) {
      ...EventLine
    }
  }
`);
