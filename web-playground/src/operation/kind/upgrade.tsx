import { Checkbox, Select, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { CircleArrowUp } from 'lucide-react';
import { MutationForm } from '../../form/mutation-form';
import { graphql } from '../../gql';
import { possible } from '../../instance/versions';
import { useMutate } from '../../lib/use-mutate';
import type { FormProps, InstanceOperation } from '../kinds';

function UpgradeForm({ instance: { id, state, postgresVersion, updateAvailable, upgradeTargets }, onDone }: FormProps) {
  const isSuspended = state === 'SUSPENDED';
  // The version that the instance has applies the update. A suspended one gets that when it is resumed.
  const newer = [...(updateAvailable && !isSuspended ? [postgresVersion] : []), ...possible(upgradeTargets)];
  const mutation = useMutate(UPGRADE, { idempotent: true, onSuccess: onDone });
  const form = useForm({ initialValues: { version: newer[0] ?? '', checkOnly: false } });
  const isUpdate = form.values.version === postgresVersion;
  return (
    <MutationForm
      form={form}
      mutation={mutation}
      toInput={({ version, checkOnly }) => ({ id, version, checkOnly: checkOnly && !isUpdate })}
      submit={isUpdate ? 'Update' : form.values.checkOnly ? 'Check' : 'Upgrade'}
      disabled={newer.length === 0}
      onCancel={onDone}
    >
      {newer.length === 0 ? (
        <Text size="sm">
          The instance has PostgreSQL {postgresVersion}, and {upgradeTargets.length === 0 ? 'no newer version is offered here' : 'cannot be upgraded as it is'}.
        </Text>
      ) : (
        <>
          <Text size="sm">
            {isUpdate
              ? `The server is restarted. It runs ${updateAvailable?.from} and will run ${updateAvailable?.to}.`
              : `${isSuspended ? 'The server is started for the upgrade, and lets no client in. It is suspended again at the end.' : 'The server is stopped while the data is transferred.'} If anything fails before the new server is known to work, the instance is as before, with PostgreSQL ${postgresVersion}. Afterwards nothing leads back.`}
          </Text>
          <Select mt="md" label="PostgreSQL version" data={newer} allowDeselect={false} data-autofocus {...form.getInputProps('version')} />
          <Checkbox
            mt="md"
            disabled={isUpdate}
            label="Only check whether the upgrade is possible"
            description={isSuspended ? 'The server is started and stopped again' : 'The server is stopped for some seconds, as for a restart'}
            {...form.getInputProps('checkOnly', { type: 'checkbox' })}
          />
        </>
      )}
      {upgradeTargets.map(
        ({ version, obstacle }) =>
          obstacle && (
            <Text key={version} size="sm" mt="md">
              Not to {version}: {obstacle}.
            </Text>
          ),
      )}
    </MutationForm>
  );
}

const UPGRADE = graphql(`
  mutation UpgradeInstance($input: UpgradeInstanceInput!) {
    upgradeInstance(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const operation: InstanceOperation = { icon: CircleArrowUp, Form: UpgradeForm };
