import { MultiSelect } from '@mantine/core';
import type { GetInputPropsReturnType } from '@mantine/form';
import { EVENT_TYPES } from './state';

/** The kinds of messages that a webhook is sent; none selected is all. */
export function EventSelect({ input }: { input: GetInputPropsReturnType }) {
  return (
    <MultiSelect
      label="Events"
      description="Leave blank for all"
      data={Object.entries(EVENT_TYPES).map(([value, label]) => ({ value, label }))}
      mt="md"
      clearable
      {...input}
    />
  );
}
