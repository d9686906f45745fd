import { Alert, Button, Group } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { LoadError } from '../lib/lazy';
import { browserStorage } from '../lib/storage';
import { connection } from '../live/state';

interface Props {
  /** It is around a whole page, where nothing is entered: what could not be loaded is loaded again without being asked. */
  page?: boolean;
  children: ReactNode;
}

interface State {
  error?: Error;
}

/** An error boundary. Browsers do not fetch a module again that has failed once, so what could not be loaded needs a reload. */
export class Failure extends Component<Props, State> {
  override state: State = {};

  static getDerivedStateFromError(error: unknown): State {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  #unsubscribe = () => {};

  override componentDidMount() {
    this.#unsubscribe = connection.subscribe(this.#reload);
  }

  override componentDidCatch() {
    this.#reload();
  }

  override componentWillUnmount() {
    this.#unsubscribe();
  }

  /** Not again and again: a file can be missing for good. */
  readonly #reload = () => {
    if (!this.props.page || !(this.state.error instanceof LoadError) || connection.get().state !== 'live' || !browserStorage) return;
    const last = Number(browserStorage.getItem(RELOADED));
    if (Date.now() - last < RELOADED_AGAIN_AFTER_MS) return;
    browserStorage.setItem(RELOADED, String(Date.now()));
    window.location.reload();
  };

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    const loading = error instanceof LoadError;
    return (
      <Alert color="red" variant="outline" role="alert" m="md" title={loading ? error.message : 'This part of the page failed'}>
        <p>{loading ? 'The server may be away, or it was upgraded since this page was opened.' : error.message}</p>
        <Group gap="xs">
          {!loading && <Button onClick={() => this.setState({ error: undefined })}>Retry</Button>}
          <Button variant={loading ? 'filled' : 'default'} onClick={() => window.location.reload()}>
            {loading ? 'Retry' : 'Reload the page'}
          </Button>
        </Group>
      </Alert>
    );
  }
}

const RELOADED = 'toygres.reloaded';
const RELOADED_AGAIN_AFTER_MS = 30_000;
