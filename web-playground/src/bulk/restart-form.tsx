import { Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { useLimits } from '../control-plane/control-plane';
import { initialValue, inRange } from '../form/range';
import { RangeInput } from '../form/range-input';
import { createKeysById } from '../lib/idempotency';
import { type BulkFormProps, ConfirmForm } from './confirm-form';
import { restart } from './send';
import { refusalOf } from './targets';

export function RestartForm({ targets, start, onCancel }: BulkFormProps) {
  const { restartTimeoutSeconds: range } = useLimits();
  const [keyFor] = useState(createKeysById);
  const form = useForm({
    initialValues: { timeoutSeconds: initialValue(range) as number | string },
    validate: { timeoutSeconds: inRange(range, 'seconds') },
    validateInputOnChange: true,
  });
  return (
    <ConfirmForm
      form={form}
      targets={targets}
      refusal={(target) => refusalOf(target, 'RESTART')}
      participle="restarted"
      submit="Restart"
      onSubmit={(ids, { timeoutSeconds }) => start(ids, (id) => restart({ id, timeoutSeconds: Number(timeoutSeconds), idempotencyKey: keyFor(id) }))}
      onCancel={onCancel}
    >
      <Text size="sm">All client connections are closed and open transactions are rolled back. Clients can reconnect when the instances are running again.</Text>
      <RangeInput
        mt="md"
        label="Shutdown timeout"
        description={`${range.min} to ${range.max} seconds. After that a server is stopped immediately.`}
        suffix="s"
        range={range}
        data-autofocus
        {...form.getInputProps('timeoutSeconds')}
      />
    </ConfirmForm>
  );
}
