import { Button, Center, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import { DatabaseZap, Plus } from 'lucide-react';
import { usePermissions } from '../control-plane/control-plane';

export function EmptyList({ onCreate }: { onCreate: () => void }) {
  const { operate, lookOnly } = usePermissions();
  return (
    <Center mih={380}>
      <Stack align="center" gap="sm" maw={420} ta="center">
        <ThemeIcon size={64} radius="xl" variant="light">
          <DatabaseZap size={32} aria-hidden />
        </ThemeIcon>
        <Title order={2} size="h3">
          {lookOnly ? 'There are no instances' : 'Create your first PostgreSQL'}
        </Title>
        <Text c="dimmed">
          {lookOnly
            ? 'As soon as somebody creates one, it shows here. Your token may look only.'
            : 'It takes a name and a few seconds. You see each step here as it happens, then how to connect.'}
        </Text>
        {operate && (
          <Button mt="sm" size="md" leftSection={<Plus size={18} aria-hidden />} onClick={onCreate}>
            Create an instance
          </Button>
        )}
      </Stack>
    </Center>
  );
}
