// One pipeline: its runs as a matrix, its graph, its schedule.
import { useQuery } from '@tanstack/react-query';
import { lazy, useState } from 'react';
import { Link, useParams } from 'wouter';
import { matrix, pipeline as pipelineQuery } from '../api/queries';
import type { PipelineDetail } from '../api/schema';
import { to, useParameter, useTitle } from '../parts/address';
import { Chips } from '../parts/filter';
import { Icon } from '../parts/icons';
import { MatrixLegend, RunMatrix } from '../parts/matrix';
import { Answered } from '../parts/problem';
import { useMay } from '../parts/session';
import { Badge } from '../parts/status';
import { Tabs } from '../parts/tabs';
import { Ago, When } from '../parts/time';
import { PauseDialog, TriggerDialog } from '../dialogs/run_dialogs';
import { pipelineStatus, scheduleText } from './pipelines';

const Dag = lazy(() => import('../parts/dag'));

function Matrix({ name }: { name: string }) {
  const [runs] = useParameter('runs');
  const wanted = Math.min(200, Math.max(1, Number(runs) || 25));
  return (
    <Answered of={useQuery(matrix(name, wanted))}>
      {(data) => (
        <>
          <div className="filters">
            <Chips
              label="Number of runs"
              parameter="runs"
              choices={[
                ['', '25 runs'],
                ['50', '50'],
                ['100', '100'],
                ['200', '200'],
              ]}
            />
            <Link href={to.runs({ pipeline: name })} className="more">
              all runs as a list
            </Link>
          </div>
          <RunMatrix matrix={data} />
          <MatrixLegend />
        </>
      )}
    </Answered>
  );
}

function Details({ one }: { one: PipelineDetail }) {
  return (
    <dl className="facts">
      <dt>Schedule</dt>
      <dd>{scheduleText(one)}</dd>
      <dt>Deadline</dt>
      <dd>{one.deadline ? `${one.deadline} (${one.time_zone})` : 'none'}</dd>
      <dt>Missed times</dt>
      <dd>{{ none: 'are given up', last: 'one run for all of them', all: 'one run for each, oldest first' }[one.catch_up]}</dd>
      <dt>Time-out</dt>
      <dd>{one.timeout ?? 'none'}</dd>
      <dt>Runs</dt>
      <dd>{one.run.length ? one.run.join(' ') : 'every table'}</dd>
      <dt>Owner</dt>
      <dd>{one.owner || 'nobody'}</dd>
      {one.tags.length > 0 && (
        <>
          <dt>Tags</dt>
          <dd>{one.tags.join(', ')}</dd>
        </>
      )}
      <dt>Written in</dt>
      <dd className="path">{one.file}</dd>
      <dt>Next times</dt>
      <dd>
        {one.upcoming.length === 0
          ? 'none'
          : one.upcoming.map((at) => (
              <span key={at} className="block">
                <When at={at} />, <span className="dim"><Ago at={at} /></span>
              </span>
            ))}
      </dd>
      <dt>Tables</dt>
      <dd>
        {one.tables.map((table) => (
          <span key={table} className="block">
            <Link href={to.table(table)}>{table}</Link>
          </span>
        ))}
      </dd>
    </dl>
  );
}

export function PipelinePage() {
  const { pipeline: name = '' } = useParams<{ pipeline: string }>();
  useTitle(name);
  const answer = useQuery(pipelineQuery(name));
  const may = useMay('operator');
  const [open, setOpen] = useState<'run' | 'pause' | null>(null);
  return (
    <Answered of={answer}>
      {(one) => (
        <>
          <header className="page-head">
            <div>
              <p className="crumbs">
                <Link href="/pipelines">Pipelines</Link>
              </p>
              <h1>{one.pipeline}</h1>
              {one.description && <p className="dim">{one.description}</p>}
              <p className="badges">
                <Badge status={pipelineStatus(one)} />
                {one.late_since && <Badge status="late" />}
                {one.paused_since && <Badge status="paused" />}
                {one.running && <Link href={to.run(one.running)}>the run that goes on</Link>}
                {one.next && !one.paused_since && (
                  <span className="dim">
                    next <When at={one.next} />, <Ago at={one.next} />
                  </span>
                )}
              </p>
            </div>
            {may && (
              <div className="buttons">
                <button type="button" onClick={() => setOpen('pause')}>
                  <Icon name={one.paused_since ? 'play' : 'pause'} size={14} /> {one.paused_since ? 'Resume …' : 'Pause …'}
                </button>
                <button type="button" className="main" onClick={() => setOpen('run')}>
                  <Icon name="play" size={14} /> Run …
                </button>
              </div>
            )}
          </header>
          {open === 'run' && <TriggerDialog pipeline={one.pipeline} onClose={() => setOpen(null)} />}
          {open === 'pause' && <PauseDialog pipeline={one.pipeline} paused={one.paused_since !== null} onClose={() => setOpen(null)} />}
          <Tabs
            label={`Of ${one.pipeline}`}
            tabs={[
              { id: 'runs', name: 'Runs', content: () => <Matrix name={one.pipeline} /> },
              { id: 'graph', name: 'Graph', content: () => <Dag graph={one.graph} /> },
              { id: 'details', name: 'Schedule and details', content: () => <Details one={one} /> },
            ]}
          />
        </>
      )}
    </Answered>
  );
}
