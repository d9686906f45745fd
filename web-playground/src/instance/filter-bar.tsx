import { CloseButton, MultiSelect, TextInput } from '@mantine/core';
import { Search } from 'lucide-react';
import type { HealthStatus, InstanceState } from '../gql/graphql';
import { options } from '../lib/label';
import type { InstanceFilter } from './filter';
import classes from './filter-bar.module.css';
import { HEALTH_VALUES, STATE_VALUES } from './states';

// Deleted instances are not in the list.
const LISTED_STATES = options(STATE_VALUES.filter((state) => state !== 'DELETED'));

export function FilterBar({ filter, onChange }: { filter: InstanceFilter; onChange: (filter: InstanceFilter) => void }) {
  return (
    <search className={classes.bar}>
      <TextInput
        className={classes.text}
        aria-label="Search by name, label or reason"
        placeholder="Search name, label or reason"
        leftSection={<Search size={16} aria-hidden />}
        rightSection={filter.text && <CloseButton size="sm" aria-label="Clear the search" onClick={() => onChange({ ...filter, text: '' })} />}
        value={filter.text}
        onChange={(event) => onChange({ ...filter, text: event.currentTarget.value })}
      />
      <MultiSelect
        className={classes.choice}
        aria-label="States"
        placeholder={filter.states.length ? undefined : 'Any state'}
        data={LISTED_STATES}
        value={[...filter.states]}
        onChange={(states) => onChange({ ...filter, states: states as InstanceState[] })}
        clearable
        clearButtonProps={{ 'aria-label': 'Any state' }}
      />
      <MultiSelect
        className={classes.choice}
        aria-label="Health"
        placeholder={filter.healths.length ? undefined : 'Any health'}
        data={options(HEALTH_VALUES)}
        value={[...filter.healths]}
        onChange={(healths) => onChange({ ...filter, healths: healths as HealthStatus[] })}
        clearable
        clearButtonProps={{ 'aria-label': 'Any health' }}
      />
    </search>
  );
}
