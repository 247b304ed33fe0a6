// Which page an address shows, and who may see it.
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useEffect } from 'react';
import { Link, Route, Switch, useLocation } from 'wouter';
import { ApiError, setCsrf } from './api/client';
import { session } from './api/queries';
import { useTitle } from './parts/address';
import { Guard, ProblemBox } from './parts/problem';
import { SessionContext } from './parts/session';
import { Clock } from './parts/time';
import { Shell } from './shell';
import { LoginPage, SetupPage } from './pages/login';
import { TodayPage } from './pages/today';

const named = <K extends string>(load: () => Promise<Record<K, () => React.JSX.Element>>, name: K) =>
  lazy(async () => ({ default: (await load())[name] }));

const AccessPage = named(() => import('./pages/access'), 'AccessPage');
const AccountPage = named(() => import('./pages/account'), 'AccountPage');
const AlertsPage = named(() => import('./pages/alerts'), 'AlertsPage');
const GraphPage = named(() => import('./pages/graph'), 'GraphPage');
const PipelinePage = named(() => import('./pages/pipeline'), 'PipelinePage');
const PipelinesPage = named(() => import('./pages/pipelines'), 'PipelinesPage');
const RunPage = named(() => import('./pages/run'), 'RunPage');
const RunsPage = named(() => import('./pages/runs'), 'RunsPage');
const SourcesPage = named(() => import('./pages/sources'), 'SourcesPage');
const TablePage = named(() => import('./pages/table'), 'TablePage');
const TablesPage = named(() => import('./pages/tables'), 'TablesPage');

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2000,
      // What the daemon refuses, it refuses again; what did not reach it may.
      retry: (failures, error) => failures < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status === 503),
      retryDelay: 800,
    },
  },
});

queries.getQueryCache().subscribe((event) => {
  const ended = event.type === 'updated' && event.action.type === 'error' && event.action.error instanceof ApiError && event.action.error.status === 401;
  if (ended && event.query.queryKey[0] !== 'session') void queries.invalidateQueries({ queryKey: ['session'] });
});

function NotHere() {
  useTitle('No such page');
  return (
    <>
      <h1>No such page</h1>
      <p>
        The address leads to nothing. <Link href="/">Today</Link> is a good place to begin, or search by <kbd>/</kbd>.
      </p>
    </>
  );
}

function Inside() {
  const me = useQuery(session());
  const [path] = useLocation();
  const csrf = me.data?.csrf ?? null;
  setCsrf(csrf);
  useEffect(() => setCsrf(csrf), [csrf]);
  if (me.error instanceof ApiError && (me.error.status === 401 || me.error.status === 403)) return <LoginPage />;
  if (me.error)
    return (
      <main className="front">
        <ProblemBox error={me.error} again={() => void me.refetch()} />
      </main>
    );
  if (!me.data) return <main className="front loading">Loading …</main>;
  return (
    <SessionContext.Provider value={me.data}>
      <Shell>
        <Guard key={path}>
          <Suspense fallback={<p className="loading">Loading …</p>}>
            <Switch>
              <Route path="/" component={TodayPage} />
              <Route path="/pipelines" component={PipelinesPage} />
              <Route path="/pipelines/:pipeline" component={PipelinePage} />
              <Route path="/runs" component={RunsPage} />
              <Route path="/runs/:run" component={RunPage} />
              <Route path="/graph" component={GraphPage} />
              <Route path="/tables" component={TablesPage} />
              <Route path="/tables/:table" component={TablePage} />
              <Route path="/sources" component={SourcesPage} />
              <Route path="/alerts" component={AlertsPage} />
              <Route path="/access" component={AccessPage} />
              <Route path="/account" component={AccountPage} />
              <Route component={NotHere} />
            </Switch>
          </Suspense>
        </Guard>
      </Shell>
    </SessionContext.Provider>
  );
}

export function App() {
  return (
    <QueryClientProvider client={queries}>
      <Clock>
        <Switch>
          <Route path="/setup" component={SetupPage} />
          <Route component={Inside} />
        </Switch>
      </Clock>
    </QueryClientProvider>
  );
}
