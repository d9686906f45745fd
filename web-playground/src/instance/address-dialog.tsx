import { TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useControlPlane, useLimits } from '../control-plane/control-plane';
import { useConflict } from '../form/conflict';
import { MutationForm } from '../form/mutation-form';
import { Dialog } from '../frame/dialog';
import type { InstancePageFragment } from '../gql/graphql';
import * as checks from './checks';
import { ExposureFields, type ExposureValues, exposureInput, exposureText } from './exposure-fields';
import { useUpdateInstance } from './update';

interface Props {
  instance: InstancePageFragment;
  onDone: () => void;
}

/** The name of an instance and its network access, which together are its address. */
export function AddressDialog({ instance, opened, onDone }: Props & { opened: boolean }) {
  return (
    <Dialog opened={opened} onClose={onDone} title={`Address of ${instance.name}`}>
      <AddressForm instance={instance} onDone={onDone} />
    </Dialog>
  );
}

interface Values {
  name: string;
  exposure: ExposureValues;
}

function AddressForm({ instance: { id, revision, name, exposure }, onDone }: Props) {
  const mutation = useUpdateInstance(onDone);
  const limits = useLimits();
  const runtime = useControlPlane().data?.runtime;
  const hasNetwork = runtime !== undefined && runtime !== 'process';
  const { type, sourceRanges, dnsLabel } = exposure;
  const initialValues: Values = { name, exposure: { type, sourceRanges, dnsLabel: dnsLabel ?? '' } };
  const form = useForm({ initialValues, validate: { name: checks.instanceName(limits) }, validateInputOnChange: ['name'] });
  const conflict = useConflict(form, initialValues, ({ name, exposure }) =>
    [name, exposureText(exposure), exposure.dnsLabel && `DNS label ${exposure.dnsLabel}`].filter(Boolean).join(', '),
  );
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      toInput={({ name, exposure }) => ({ id, revision, name, exposure: hasNetwork ? exposureInput(exposure) : undefined })}
      submit="Save"
      conflict={conflict}
      onCancel={onDone}
    >
      <TextInput
        label="Name"
        description={hasNetwork ? 'Nothing is restarted. Clients can use the former name until the new one is ready' : 'Nothing is restarted'}
        autoComplete="off"
        spellCheck={false}
        data-autofocus
        {...form.getInputProps('name')}
      />
      {hasNetwork && <ExposureFields form={form} />}
    </MutationForm>
  );
}
