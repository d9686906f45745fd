import { ActionIcon, Button, Fieldset, Group, Text, TextInput } from '@mantine/core';
import { Plus, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { useLimits } from '../control-plane/control-plane';
import { type LabelText, labelError } from './checks';

interface Props {
  legend?: string;
  value: LabelText[];
  onChange: (labels: LabelText[]) => void;
  error?: ReactNode;
  /** The first key gets the focus in a dialog. */
  autoFocus?: boolean;
}

export function LabelFields({ legend = 'Labels', value, onChange, error, autoFocus = false }: Props) {
  const wrong = labelError(useLimits())(value);
  const invalid = (index: number) => Boolean(error) && wrong?.index === index;
  const change = (index: number, part: Partial<LabelText>) =>
    onChange(value.map((label, other) => (other === index ? { ...label, ...part } : label)));
  return (
    <Fieldset legend={legend} variant="unstyled" mt="md">
      {value.map((label, index) => (
        <Group key={index} gap="xs" mb="xs" wrap="nowrap">
          <TextInput
            aria-label={`Key of label ${index + 1}`}
            placeholder="team"
            data-autofocus={(autoFocus && index === 0) || undefined}
            flex={1}
            spellCheck={false}
            value={label.key}
            error={invalid(index)}
            onChange={(event) => change(index, { key: event.currentTarget.value })}
          />
          <TextInput
            aria-label={`Value of label ${index + 1}`}
            placeholder="shop"
            flex={1}
            spellCheck={false}
            value={label.value}
            onChange={(event) => change(index, { value: event.currentTarget.value })}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={`Remove label ${index + 1}`}
            onClick={() => onChange(value.filter((_, other) => other !== index))}
          >
            <X size={16} aria-hidden />
          </ActionIcon>
        </Group>
      ))}
      {error && (
        <Text size="xs" className="error" role="alert" mb="xs">
          {error}
        </Text>
      )}
      <Button
        variant="default"
        size="xs"
        leftSection={<Plus size={14} aria-hidden />}
        onClick={() => onChange([...value, { key: '', value: '' }])}
      >
        Add label
      </Button>
    </Fieldset>
  );
}
