import { Select, SimpleGrid, TextInput } from '@mantine/core';
import { type UseFormReturnType, useForm } from '@mantine/form';
import { useLimits } from '../control-plane/control-plane';
import { useConflict } from '../form/conflict';
import { MutationForm } from '../form/mutation-form';
import { RangeInput } from '../form/range-input';
import { Dialog } from '../frame/dialog';
import type { InstancePageFragment, Weekday } from '../gql/graphql';
import { type MaintenanceWindowValues, NEVER, noWindow, windowInput, windowValidation } from './maintenance-window-values';
import { useUpdateInstance } from './update';

interface Props {
  instance: InstancePageFragment;
  onDone: () => void;
}

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
  maintenanceWindow: MaintenanceWindowValues;
}

/** When updates are applied by themselves: never, or in a weekly window. */
export function MaintenanceWindowFields<Form extends Values>({ form, autofocus }: { form: UseFormReturnType<Form>; autofocus?: boolean }) {
  const { maintenanceWindowMinutes: range } = useLimits();
  return (
    <>
      <Select
        label="Weekday"
        description="Updates restart the instance"
        data={[{ value: NEVER, label: 'Only when asked' }, ...DAYS.map((day) => ({ value: day as string, label: name(day) }))]}
        allowDeselect={false}
        data-autofocus={autofocus || undefined}
        {...form.getInputProps('maintenanceWindow.weekday')}
      />
      {form.values.maintenanceWindow.weekday !== NEVER && (
        <SimpleGrid cols={{ base: 1, xs: 2 }} mt="xs">
          <TextInput label="Start time" description="UTC" type="time" {...form.getInputProps('maintenanceWindow.startTime')} />
          <RangeInput label="Duration" description="Minutes" suffix="m" range={range} {...form.getInputProps('maintenanceWindow.durationMinutes')} />
        </SimpleGrid>
      )}
    </>
  );
}

function MaintenanceWindowForm({ instance: { id, revision, maintenanceWindow }, onDone }: Props) {
  const mutation = useUpdateInstance(onDone);
  const { maintenanceWindowMinutes: range } = useLimits();
  const initialValues: Values = {
    maintenanceWindow: maintenanceWindow
      ? { weekday: maintenanceWindow.weekday, startTime: maintenanceWindow.startTime, durationMinutes: maintenanceWindow.durationMinutes }
      : noWindow(range),
  };
  const form = useForm({ initialValues, validate: { maintenanceWindow: windowValidation(range) }, validateInputOnChange: true });
  const conflict = useConflict(form, initialValues, ({ maintenanceWindow: { weekday, startTime, durationMinutes } }) =>
    weekday === NEVER ? 'never' : `${name(weekday)} ${startTime}, for ${durationMinutes}m`,
  );
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      // 0 turns it off.
      toInput={({ maintenanceWindow }) => ({ id, revision, maintenanceWindow: windowInput(maintenanceWindow) ?? { durationMinutes: 0 } })}
      submit="Save"
      conflict={conflict}
      onCancel={onDone}
    >
      <MaintenanceWindowFields form={form} autofocus />
    </MutationForm>
  );
}
