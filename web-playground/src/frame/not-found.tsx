import { Anchor, Container, Text, Title } from '@mantine/core';
import { Link } from 'wouter';
import { useTitle } from './use-title';

export function NotFound({ what = 'page' }: { what?: string }) {
  useTitle('Not found');
  return (
    <Container size="sm" py="xl">
      <Title order={1} size="h2" mb="sm">
        There is no such {what}
      </Title>
      <Text>
        It may have been deleted long ago. All that there is now is in the list of{' '}
        <Anchor component={Link} href="/" underline="always">
          instances
        </Anchor>
        .
      </Text>
    </Container>
  );
}
