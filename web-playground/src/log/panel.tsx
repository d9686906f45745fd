import { Button, Group, Select, Skeleton, Text, TextInput } from '@mantine/core';
import { useDisclosure, useInViewport } from '@mantine/hooks';
import { Pause, Play } from 'lucide-react';
import { useDeferredValue, useEffect, useState } from 'react';
import { Panel } from '../frame/panel';
import { LogSeverity } from '../gql/graphql';
import type { PanelProps } from '../instance/sections';
import { label, sentenceCase } from '../lib/label';
import { LogLines } from './lines';
import classes from './panel.module.css';
import { useInstanceLog } from './use-instance-log';

const SEVERITIES = Object.values(LogSeverity).map((value) => ({ value, label: `${label(value)} and above` }));

/** What the server logs, followed while the panel has been on the screen and is not paused. */
export default function LogPanel({ instance: { id } }: PanelProps) {
  const { ref, inViewport } = useInViewport();
  const [begun, begin] = useState(false);
  useEffect(() => {
    if (inViewport) begin(true);
  }, [inViewport]);
  const [paused, pause] = useDisclosure(false);
  const [severity, setSeverity] = useState<LogSeverity | null>(null);
  const [text, setText] = useState('');
  const wanted = useDeferredValue(text);
  const { buffer, version, error, loaded } = useInstanceLog(id, severity, begun && !paused);
  const [, selected] = useState(0);
  useEffect(() => {
    buffer.filter(wanted);
    selected((count) => count + 1);
  }, [buffer, wanted]);
  const { shown, size } = buffer;
  return (
    <div ref={ref}>
      <Panel
        title="Log"
        aside={
          <Group gap="sm">
            {loaded && (
              <Text size="sm" c="dimmed" className="digits">
                {shown.length === size ? `${size.toLocaleString('en')} entries` : `${shown.length.toLocaleString('en')} of ${size.toLocaleString('en')} entries`}
              </Text>
            )}
            <Button variant="default" size="xs" leftSection={paused ? <Play size={14} aria-hidden /> : <Pause size={14} aria-hidden />} onClick={pause.toggle}>
              {paused ? 'Follow' : 'Pause'}
            </Button>
          </Group>
        }
      >
        <Group gap="sm" mb="sm" className={classes.filters}>
          <Select
            size="xs"
            aria-label="Severity of the entries"
            placeholder="All severities"
            data={SEVERITIES}
            value={severity}
            onChange={(value) => setSeverity(value as LogSeverity | null)}
            clearable
          />
          <TextInput size="xs" flex={1} type="search" aria-label="Text of the entries" placeholder="Filter by text" value={text} onChange={(event) => setText(event.currentTarget.value)} />
        </Group>
        {error && <Text className="error">{sentenceCase(error.message)}</Text>}
        {!loaded && !error && <Skeleton height={160} />}
        {loaded && shown.length === 0 && !error && <Text c="dimmed">{size ? 'No entry contains this text' : 'Nothing was logged'}</Text>}
        {shown.length > 0 && <LogLines lines={shown} version={version} />}
      </Panel>
    </div>
  );
}
