import { type ComponentType, lazy } from 'react';

/** A part of the page could not be loaded: the server is away, or was upgraded and has other files. */
export class LoadError extends Error {
  constructor(cause: unknown) {
    super("Can't load this part of the page.", { cause });
  }
}

/** `React.lazy`, with an error that the error boundary knows. */
export function lazily<Props extends object>(load: () => Promise<{ default: ComponentType<Props> }>) {
  return lazy(() =>
    load().catch((cause: unknown) => {
      throw new LoadError(cause);
    }),
  );
}
