import { lazy, Suspense } from 'react';
import { Route, Switch, useLocation } from 'wouter';
import { access } from './access/token';
import { TokenDialog } from './access/token-dialog';
import { ControlPlaneProvider } from './control-plane/control-plane';
import { Failure } from './frame/failure';
import { Frame } from './frame/frame';
import { Loading } from './frame/loading';
import { NotFound } from './frame/not-found';
import InstancesPage from './instance/list-page';
import { useStore } from './lib/store';

// The first page comes with the frame, the others when they are asked for: the editor alone weighs megabytes.
const InstancePage = lazy(() => import('./instance/page'));
const OperationsPage = lazy(() => import('./operation/list-page'));
const TokensPage = lazy(() => import('./token/list-page'));
const GraphiqlPage = lazy(() => import('./graphiql/page'));

/** The frame, and the page that the address names. */
export function App() {
  const [path] = useLocation();
  const { answers } = useStore(access);
  return (
    <>
      {/* With another token everything is asked for anew. */}
      <ControlPlaneProvider key={answers}>
        <Frame>
          <Failure key={path}>
            <Suspense fallback={<Loading />}>
              <Switch>
                <Route path="/" component={InstancesPage} />
                <Route path="/instances/:id">{({ id }) => <InstancePage key={id} id={id} />}</Route>
                <Route path="/operations" component={OperationsPage} />
                <Route path="/tokens" component={TokensPage} />
                <Route path="/graphiql" component={GraphiqlPage} />
                <Route>
                  <NotFound />
                </Route>
              </Switch>
            </Suspense>
          </Failure>
        </Frame>
      </ControlPlaneProvider>
      <TokenDialog />
    </>
  );
}
