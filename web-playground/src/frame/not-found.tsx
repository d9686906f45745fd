import { Anchor, Container, Text, Title } from '@mantine/core';
import { Link } from 'wouter';
import { sentenceCase } from '../lib/label';
import { useTitle } from './use-title';

export function NotFound({ what = 'page' }: { what?: string }) {
  useTitle('Not found');
  return (
    <Container size="sm" py="xl">
      <Title order={1} size="h2" mb="sm">
        {sentenceCase(what)} not found
      </Title>
      <Text>
        It may have been deleted. See the list of{' '}
        <Anchor component={Link} href="/" underline="always">
          instances
        </Anchor>
        .
      </Text>
    </Container>
  );
}
