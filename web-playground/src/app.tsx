import { QueryClientProvider } from '@tanstack/react-query';
import { Suspense, useMemo } from 'react';
import { Route, Router, Switch, useLocation } from 'wouter';
import { access } from './access/token';
import { TokenDialog } from './access/token-dialog';
import { Failure } from './frame/failure';
import { Frame } from './frame/frame';
import { Loading } from './frame/loading';
import { NotFound } from './frame/not-found';
import InstancesPage from './instance/list-page';
import { basePath } from './lib/base-path';
import { lazily } from './lib/lazy';
import { createQueryClient } from './lib/query-client';
import { useStore } from './lib/store';
import { zone } from './time/zone';

// The first page is part of the first load, the others are loaded on demand: the editor alone has several megabytes.
const InstancePage = lazily(() => import('./instance/page'));
const OperationsPage = lazily(() => import('./operation/list-page'));
const OperationPage = lazily(() => import('./operation/page'));
const TokensPage = lazily(() => import('./token/list-page'));
const DocsPage = lazily(() => import('./docs/page'));
const WebhooksPage = lazily(() => import('./webhook/list-page'));
const GraphiqlPage = lazily(() => import('./graphiql/page'));

/** The frame, and the page at the current path below that of the server. */
export function App() {
  return (
    <Router base={basePath()}>
      <Pages />
    </Router>
  );
}

function Pages() {
  const [path] = useLocation();
  const { logins } = useStore(access);
  // Everything with a time is rendered again.
  useStore(zone);
  // Another token may see other data: nothing that was loaded before is kept.
  const client = useMemo(createQueryClient, [logins]);
  return (
    <>
      <QueryClientProvider key={logins} client={client}>
        <Frame>
          <Failure key={path} page>
            <Suspense fallback={<Loading />}>
              <Switch>
                <Route path="/" component={InstancesPage} />
                <Route path="/instances/:id">{({ id }) => <InstancePage key={id} id={id} />}</Route>
                <Route path="/operations" component={OperationsPage} />
                <Route path="/operations/:id">{({ id }) => <OperationPage key={id} id={id} />}</Route>
                <Route path="/tokens" component={TokensPage} />
                <Route path="/webhooks" component={WebhooksPage} />
                <Route path="/graphiql" component={GraphiqlPage} />
                <Route path="/docs/*?">{({ '*': name }) => <DocsPage name={name || 'readme'} />}</Route>
                <Route>
                  <NotFound />
                </Route>
              </Switch>
            </Suspense>
          </Failure>
        </Frame>
      </QueryClientProvider>
      <TokenDialog />
    </>
  );
}
