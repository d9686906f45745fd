import { Radio, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useLocation } from 'wouter';
import { MutationForm } from '../form/mutation-form';
import { graphql } from '../gql';
import type { BackupsFragment, InstancePageFragment } from '../gql/graphql';
import { useMutate } from '../lib/use-mutate';
import { full } from '../time/format';
import { NameOfCopy, PasswordOfCopy, nameOfCopy } from './copy-fields';
import { localTime, pointOf, refusal } from './point';

interface Values {
  name: string;
  point: 'latest' | 'time';
  target: { time: string };
  password: string;
}

/** Restores into a new instance and opens its page, which shows the progress. */
export function RestoreForm({ source, recovery, onCancel }: { source: InstancePageFragment; recovery: NonNullable<BackupsFragment['recovery']>; onCancel: () => void }) {
  const [, navigate] = useLocation();
  const { intervals } = recovery;
  const mutation = useMutate(RESTORE, { idempotent: true, onSuccess: ({ instance }) => instance && navigate(`/instances/${instance.id}`) });
  const form = useForm<Values>({
    initialValues: { name: '', point: 'latest', target: { time: recovery.to ? localTime(recovery.to) : '' }, password: '' },
    validate: {
      name: nameOfCopy,
      target: { time: (time, { point }) => (point === 'time' ? refusal(time, intervals) : null) },
    },
    validateInputOnChange: ['target.time'],
  });
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      toInput={({ name, point, target, password }) => ({
        sourceId: source.id,
        name,
        target: point === 'time' ? { time: pointOf(target.time) } : undefined,
        password: password || undefined,
      })}
      submit="Restore"
      onCancel={onCancel}
    >
      <Text size="sm">
        A new instance gets the data of {source.name} as it was at a point in time, and its size and settings. {source.name} stays as it is. Passwords of it do not work in the new one.
      </Text>
      <NameOfCopy placeholder={`${source.name}-restored`} {...form.getInputProps('name')} />
      <Radio.Group label="Point in time" mt="md" {...form.getInputProps('point')}>
        <Stack gap="xs" mt={4}>
          <Radio value="latest" label={recovery.to ? `The latest: at least what was committed by ${full(recovery.to)}` : 'The latest'} />
          <Radio value="time" label="A time" />
        </Stack>
      </Radio.Group>
      {form.values.point === 'time' && (
        <TextInput
          mt="xs"
          type="datetime-local"
          step={1}
          label="Time"
          description={`In the time zone of this browser. Whatever was committed by then is in the new instance, and nothing later.`}
          min={recovery.from ? localTime(recovery.from) : undefined}
          max={recovery.to ? localTime(recovery.to) : undefined}
          {...form.getInputProps('target.time')}
        />
      )}
      <PasswordOfCopy {...form.getInputProps('password')} />
    </MutationForm>
  );
}

const RESTORE = graphql(`
  mutation RestoreInstance($input: RestoreInstanceInput!) {
    restoreInstance(input: $input) {
      instance {
        id
      }
      userErrors {
        field
        message
      }
    }
  }
`);
