import { Progress, Text } from '@mantine/core';
import type { InstancePageFragment } from '../gql/graphql';
import { used } from './size';

type Usage = NonNullable<InstancePageFragment['storageUsage']>;

/** What the instance uses of its volume. */
export function StorageUsage({ usage: { usedBytes, capacityBytes, usedPercent, readOnly } }: { usage: Usage }) {
  const text = `${usedPercent}% used: ${used(usedBytes)} of ${used(capacityBytes)}`;
  return (
    <>
      <Progress value={Math.min(usedPercent, 100)} color={color(usedPercent, readOnly)} size="sm" mt={4} aria-label={text} />
      <Text size="sm" c="dimmed">
        {text}
        {readOnly && ', takes no writes'}
      </Text>
    </>
  );
}

function color(usedPercent: number, readOnly: boolean): string {
  if (readOnly) return 'red';
  return usedPercent < NEARLY_FULL ? 'blue' : 'yellow';
}

/** From here on the server gives a notice, unless the volume grows. */
const NEARLY_FULL = 85;
