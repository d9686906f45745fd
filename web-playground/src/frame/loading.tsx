import { Center, Loader, VisuallyHidden } from '@mantine/core';

export function Loading() {
  return (
    <Center mih={240} role="status">
      <VisuallyHidden>Loading</VisuallyHidden>
      <Loader aria-hidden />
    </Center>
  );
}
