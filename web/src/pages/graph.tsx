// The whole project as a graph, or one pipeline of it.
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { graph, pipelines } from '../api/queries';
import { useParameter, useTitle } from '../parts/address';
import { Answered } from '../parts/problem';

const Dag = lazy(() => import('../parts/dag'));

export function GraphPage() {
  useTitle('Graph');
  const [pipeline, setPipeline] = useParameter('pipeline');
  const answer = useQuery(graph(pipeline ?? undefined));
  const names = useQuery(pipelines());
  return (
    <>
      <header className="page-head">
        <h1>Graph</h1>
      </header>
      <div className="filters">
        <label className="inline">
          Pipeline
          <select value={pipeline ?? ''} onChange={(event) => setPipeline(event.target.value)}>
            <option value="">all</option>
            {names.data?.pipelines.map((one) => <option key={one.pipeline}>{one.pipeline}</option>)}
          </select>
        </label>
      </div>
      <Answered of={answer}>
        {(data) => (
          <Suspense fallback={<p className="loading">Loading …</p>}>
            <Dag key={pipeline ?? ''} graph={data} />
          </Suspense>
        )}
      </Answered>
    </>
  );
}
