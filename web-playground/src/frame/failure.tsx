import { Alert, Button, Container } from '@mantine/core';
import { Component, type ReactNode } from 'react';

/** An error boundary. One cause is a chunk that no longer exists after an upgrade of the server. */
export class Failure extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {};

  static getDerivedStateFromError(error: unknown) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render() {
    if (!this.state.error) return this.props.children;
    return (
      <Container size="sm" py="xl">
        <Alert color="red" variant="outline" title="This page failed">
          <p>{this.state.error.message}</p>
          <Button onClick={() => window.location.reload()}>Reload</Button>
        </Alert>
      </Container>
    );
  }
}
