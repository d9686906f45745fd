import { Button, Center, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import { DatabaseZap, Plus } from 'lucide-react';

export function EmptyList({ onCreate }: { onCreate: () => void }) {
  return (
    <Center mih={380}>
      <Stack align="center" gap="sm" maw={420} ta="center">
        <ThemeIcon size={64} radius="xl" variant="light">
          <DatabaseZap size={32} aria-hidden />
        </ThemeIcon>
        <Title order={2} size="h3">
          Create your first PostgreSQL
        </Title>
        <Text c="dimmed">It takes a name and a few seconds. You see each step here as it happens, then how to connect.</Text>
        <Button mt="sm" size="md" leftSection={<Plus size={18} aria-hidden />} onClick={onCreate}>
          Create an instance
        </Button>
      </Stack>
    </Center>
  );
}
