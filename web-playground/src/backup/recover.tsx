import { Anchor, Button, List, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { History } from 'lucide-react';
import { Link } from 'wouter';
import { Dialog } from '../frame/dialog';
import { graphql } from '../gql';
import type { ImportBackupsMutation } from '../gql/graphql';
import { useMutate } from '../lib/use-mutate';

type Imported = ImportBackupsMutation['importBackups']['instances'];

/** Finds the backups of a control plane whose metadata is lost. */
export function RecoverButton() {
  const [opened, { open, close }] = useDisclosure(false);
  const { mutate, isPending, data, error } = useMutate(IMPORT, { onSuccess: open });
  return (
    <>
      <Button variant="subtle" leftSection={<History size={16} aria-hidden />} loading={isPending} onClick={() => mutate({})}>
        Find instances in the store of backups
      </Button>
      {error && <Text className="error">{error.message}</Text>}
      <Dialog opened={opened} onClose={close} title="Instances in the store of backups">
        {data && <Found instances={data.instances} />}
      </Dialog>
    </>
  );
}

function Found({ instances }: { instances: Imported }) {
  if (!instances.length) {
    return <Text>The store has no backups that the server does not know.</Text>;
  }
  return (
    <>
      <Text mb="sm">They are listed as deleted. Restore one from its page:</Text>
      <List>
        {instances.map(({ id, name }) => (
          <List.Item key={id}>
            <Anchor component={Link} href={`/instances/${id}`}>
              {name}
            </Anchor>
          </List.Item>
        ))}
      </List>
    </>
  );
}

const IMPORT = graphql(`
  mutation ImportBackups($input: ImportBackupsInput!) {
    importBackups(input: $input) {
      instances {
        id
        name
      }
      userErrors {
        field
        message
      }
    }
  }
`);
