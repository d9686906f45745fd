import { Suspense } from 'react';
import { Failure } from './failure';
import { pageAt } from './routes';

/** The frame around every page: the header, and the page that the address names. */
export function App() {
  const Page = pageAt(window.location.pathname);
  return (
    <>
      <header className="header">
        <a className="brand" href="/">
          <img src="/favicon.svg" alt="" width="20" height="20" />
          Toygres
        </a>
        <nav>
          <a href="/schema.graphql">Schema</a>
          <a href="/health">Health</a>
          <a href="/metrics">Metrics</a>
        </nav>
      </header>
      <main className="page">
        <Failure>
          <Suspense fallback={<p className="notice">Loading…</p>}>
            <Page />
          </Suspense>
        </Failure>
      </main>
    </>
  );
}
