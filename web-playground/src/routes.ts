import { type ComponentType, lazy } from 'react';

/** Pages load on demand: the editor weighs megabytes, and other pages must not wait for it. */
const pages: Record<string, ComponentType> = {
  '/': lazy(() => import('./graphiql/page')),
};

const notFound = lazy(() => import('./not-found'));

export function pageAt(path: string): ComponentType {
  return pages[path] ?? notFound;
}
