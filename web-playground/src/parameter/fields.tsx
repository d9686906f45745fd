import { ActionIcon, Fieldset, Group, Select, TextInput } from '@mantine/core';
import { X } from 'lucide-react';
import { choices, hint, type Parameter } from './catalog';
import type { Row } from './changes';

interface Props {
  catalog: Map<string, Parameter>;
  rows: Row[];
  /** The error of each row. */
  errors: (string | undefined)[];
  onChange: (rows: Row[]) => void;
}

/** One input for each parameter that is set, and a list to add others from. */
export function ParameterFields({ catalog, rows, errors, onChange }: Props) {
  const left = [...catalog.values()].filter(({ name }) => !rows.some((row) => row.name === name));
  return (
    <Fieldset legend="Parameters" variant="unstyled" mt="md">
      {rows.map((row, index) => (
        <Group key={row.name} gap="xs" mb="sm" wrap="nowrap" align="flex-end">
          <ValueInput
            row={row}
            parameter={catalog.get(row.name)}
            error={errors[index]}
            onChange={(value) => onChange(rows.map((other) => (other === row ? { ...row, value } : other)))}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={`Remove ${row.name}`}
            onClick={() => onChange(rows.filter((other) => other !== row))}
          >
            <X size={16} aria-hidden />
          </ActionIcon>
        </Group>
      ))}
      <Select
        aria-label="Add a parameter"
        placeholder="Add a parameter"
        searchable
        limit={50}
        data={left.map(({ name }) => name)}
        value={null}
        onChange={(name) => {
          const parameter = name && catalog.get(name);
          if (parameter) onChange([...rows, { name: parameter.name, value: parameter.default }]);
        }}
      />
    </Fieldset>
  );
}

function ValueInput({ row, parameter, error, onChange }: { row: Row; parameter?: Parameter; error?: string; onChange: (value: string) => void }) {
  const label = parameter?.needsRestart ? `${row.name} (needs a restart)` : row.name;
  const description = parameter && [parameter.description, hint(parameter)].filter(Boolean).join(' ');
  const values = parameter && choices(parameter);
  const common = { label, description, error, flex: 1, value: row.value };
  if (values) return <Select {...common} data={values} allowDeselect={false} onChange={(value) => value !== null && onChange(value)} />;
  return <TextInput {...common} autoComplete="off" spellCheck={false} onChange={(event) => onChange(event.currentTarget.value)} />;
}
