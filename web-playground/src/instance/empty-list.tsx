import { Button, Center, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import { DatabaseZap, Plus } from 'lucide-react';
import { RecoverButton } from '../backup/recover';
import { usePermissions } from '../control-plane/control-plane';

export function EmptyList({ onCreate, onShowDeleted }: { onCreate: () => void; onShowDeleted: () => void }) {
  const { operate, recover, readOnly } = usePermissions();
  return (
    <Center mih={380}>
      <Stack align="center" gap="sm" maw={420} ta="center">
        <ThemeIcon size={64} radius="xl" variant="light">
          <DatabaseZap size={32} aria-hidden />
        </ThemeIcon>
        <Title order={2} size="h3">
          {readOnly ? 'No instances yet' : 'Create your first instance'}
        </Title>
        <Text c="dimmed">
          {readOnly
            ? 'Instances appear here when they are created. Your token is read-only.'
            : 'Enter a name, follow the steps live, and copy the connection string.'}
        </Text>
        {operate && (
          <Button mt="sm" size="md" leftSection={<Plus size={18} aria-hidden />} onClick={onCreate}>
            Create instance
          </Button>
        )}
        <Button variant="subtle" size="sm" onClick={onShowDeleted}>
          Show deleted instances
        </Button>
        {recover && <RecoverButton />}
      </Stack>
    </Center>
  );
}
