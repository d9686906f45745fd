import { Select, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useLimits } from '../control-plane/control-plane';
import { useConflict } from '../form/conflict';
import { MutationForm } from '../form/mutation-form';
import { initialValue, inRange } from '../form/range';
import { RangeInput } from '../form/range-input';
import { Dialog } from '../frame/dialog';
import type { InstancePageFragment, Weekday } from '../gql/graphql';
import { useUpdateInstance } from './update';

interface Props {
  instance: InstancePageFragment;
  onDone: () => void;
}

const NEVER = 'NEVER';
const DAYS: Weekday[] = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'];
const name = (day: string) => day[0] + day.slice(1).toLowerCase();

/** When updates are applied by themselves, as text. */
export function windowText(window: InstancePageFragment['maintenanceWindow']): string {
  return window ? `${name(window.weekday)} ${window.startTime} UTC, for ${window.durationMinutes}m` : 'only when asked';
}

export function MaintenanceWindowDialog({ instance, opened, onDone }: Props & { opened: boolean }) {
  return (
    <Dialog opened={opened} onClose={onDone} title={`Updates of ${instance.name}`}>
      <MaintenanceWindowForm instance={instance} onDone={onDone} />
    </Dialog>
  );
}

interface Values {
  maintenanceWindow: { weekday: string; startTime: string; durationMinutes: number | string };
}

function MaintenanceWindowForm({ instance: { id, revision, maintenanceWindow }, onDone }: Props) {
  const mutation = useUpdateInstance(onDone);
  const { maintenanceWindowMinutes: range } = useLimits();
  const initialValues: Values = {
    maintenanceWindow: maintenanceWindow
      ? { weekday: maintenanceWindow.weekday, startTime: maintenanceWindow.startTime, durationMinutes: maintenanceWindow.durationMinutes }
      : { weekday: NEVER, startTime: '03:00', durationMinutes: initialValue(range) },
  };
  const form = useForm({ initialValues, validate: { maintenanceWindow: { durationMinutes: inRange(range, 'minutes') } }, validateInputOnChange: true });
  const conflict = useConflict(form, initialValues, ({ maintenanceWindow: { weekday, startTime, durationMinutes } }) =>
    weekday === NEVER ? 'never' : `${name(weekday)} ${startTime}, for ${durationMinutes}m`,
  );
  const isOff = form.values.maintenanceWindow.weekday === NEVER;
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      toInput={({ maintenanceWindow: { weekday, startTime, durationMinutes } }) => ({
        id,
        revision,
        maintenanceWindow:
          weekday === NEVER ? { durationMinutes: 0 } : { weekday: weekday as Weekday, startTime, durationMinutes: Number(durationMinutes) },
      })}
      submit="Save"
      conflict={conflict}
      onCancel={onDone}
    >
      <Select
        label="Weekday"
        description="Updates restart the instance"
        data={[{ value: NEVER, label: 'Only when asked' }, ...DAYS.map((day) => ({ value: day as string, label: name(day) }))]}
        allowDeselect={false}
        data-autofocus
        {...form.getInputProps('maintenanceWindow.weekday')}
      />
      {!isOff && (
        <>
          <TextInput mt="md" label="Start time" description="UTC" type="time" {...form.getInputProps('maintenanceWindow.startTime')} />
          <RangeInput mt="md" label="Duration" description="Minutes" suffix="m" range={range} {...form.getInputProps('maintenanceWindow.durationMinutes')} />
        </>
      )}
    </MutationForm>
  );
}
