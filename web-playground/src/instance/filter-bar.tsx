import { CloseButton, Kbd, TextInput, UnstyledButton } from '@mantine/core';
import { Search } from 'lucide-react';
import type { RefObject } from 'react';
import { StatusIcon } from '../frame/status-mark';
import { label } from '../lib/label';
import type { InstanceFilter } from './filter';
import classes from './filter-bar.module.css';
import { STATUS_VALUES, STATUSES } from './states';
import type { InstanceStatus } from './status';

interface Props {
  search: RefObject<HTMLInputElement | null>;
  filter: InstanceFilter;
  counts: ReadonlyMap<InstanceStatus, number>;
  onChange: (filter: InstanceFilter) => void;
}

/** The search, and the number of instances by status: each is a filter. */
export function FilterBar({ search, filter, counts, onChange }: Props) {
  const { statuses } = filter;
  const shown = STATUS_VALUES.filter((status) => counts.get(status) || statuses.includes(status));
  const toggle = (status: InstanceStatus) =>
    onChange({ ...filter, statuses: statuses.includes(status) ? statuses.filter((other) => other !== status) : [...statuses, status] });
  return (
    <search className={classes.bar}>
      <TextInput
        ref={search}
        className={classes.text}
        aria-label="Search by name, label or reason"
        placeholder="Search name, label or reason"
        leftSection={<Search size={16} aria-hidden />}
        rightSection={filter.text ? <CloseButton size="sm" aria-label="Clear the search" onClick={() => onChange({ ...filter, text: '' })} /> : <Kbd size="xs">/</Kbd>}
        value={filter.text}
        onChange={(event) => onChange({ ...filter, text: event.currentTarget.value })}
      />
      <div className={classes.statuses} role="group" aria-label="Status">
        {shown.map((status) => (
          <UnstyledButton
            key={status}
            className={classes.status}
            data-tone={STATUSES[status].tone}
            aria-pressed={statuses.includes(status)}
            onClick={() => toggle(status)}
          >
            <StatusIcon icon={STATUSES[status].icon} size={14} />
            {label(status)} <strong>{counts.get(status) ?? 0}</strong>
          </UnstyledButton>
        ))}
      </div>
    </search>
  );
}
