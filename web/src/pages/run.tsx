// One run: what failed and why, its tasks on a time axis, its log, its verdicts.
import { useQuery } from '@tanstack/react-query';
import { lazy, useState, type ReactNode } from 'react';
import { Link, useParams } from 'wouter';
import { graph, isOpen, run as runQuery } from '../api/queries';
import type { Graph, RunCheck, RunDetail, Task } from '../api/schema';
import { to, useParameter, useTitle } from '../parts/address';
import { Gantt } from '../parts/gantt';
import { Icon } from '../parts/icons';
import { List, type ListColumn } from '../parts/list';
import { Answered, Cause, Command } from '../parts/problem';
import { RunLog } from '../parts/run_log';
import { useMay } from '../parts/session';
import { Badge, CountsBar, Sign } from '../parts/status';
import { Tabs } from '../parts/tabs';
import { Took, When } from '../parts/time';
import { CAUSE_WORDS, bytes, count, countsText, duration, number } from '../parts/words';
import { CancelDialog, RetryDialog } from '../dialogs/run_dialogs';

const Dag = lazy(() => import('../parts/dag'));

const BAD = new Set(['fail', 'reject', 'warn']);

/** The newest verdict of each check: a run that was taken again has those of its first time, too. */
function newestVerdicts(checks: RunCheck[]): RunCheck[] {
  const newest = new Map<string, RunCheck>();
  for (const check of checks) {
    const name = `${check.table} ${check.check}`;
    if ((newest.get(name)?.at ?? '') <= check.at) newest.set(name, check);
  }
  return [...newest.values()];
}

/** Why tables of this run failed, and what waits for them. */
function Failures({ run }: { run: RunDetail }) {
  const failed = run.tasks.filter((task) => task.error && task.status === 'failed');
  const waiting = run.tasks.filter((task) => task.status === 'blocked');
  if (failed.length === 0) return null;
  return (
    <section aria-label="What failed">
      {failed.map((task) => {
        const checks = newestVerdicts(run.checks).filter((check) => check.table === task.table && check.verdict === 'fail');
        return (
          <article key={task.table} className="box box-failed">
            <h2>
              <Sign status="failed" size={16} /> <Link href={to.run(run.run, task.table)}>{task.table}</Link>
              <span className="dim">{task.attempt > 1 ? `failed after ${task.attempt} attempts` : 'failed'}</span>
            </h2>
            <Cause where={task.error!.where} message={task.error!.message} next={task.error!.next} />
            {checks.length > 0 && (
              <ul className="failed-checks">
                {checks.map((check) => (
                  <li key={check.check}>
                    <code>{check.check}</code> {check.message || check.observed}
                  </li>
                ))}
              </ul>
            )}
          </article>
        );
      })}
      {waiting.length > 0 && (
        <p className="dim">
          <Sign status="blocked" /> {count(waiting.length, 'table')} {waiting.length === 1 ? 'waits' : 'wait'} for {failed.length === 1 ? 'it' : 'them'}:{' '}
          {waiting.map((task) => task.table).join(', ')}
        </p>
      )}
    </section>
  );
}

function Cell({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function TaskPanel({ run, task, onClose }: { run: RunDetail; task: Task; onClose: () => void }) {
  const checks = newestVerdicts(run.checks).filter((check) => check.table === task.table);
  return (
    <section className="box task-panel" aria-label={`Task ${task.table}`}>
      <header>
        <h2>
          <Link href={to.table(task.table)}>{task.table}</Link> <Badge status={task.status} />
        </h2>
        <button type="button" className="quiet icon-button" onClick={onClose} aria-label="Close the task">
          <Icon name="cross" />
        </button>
      </header>
      {task.note && <p>{task.note}</p>}
      {task.error && <Cause where={task.error.where} message={task.error.message} next={task.error.next} />}
      <dl className="cells">
        <Cell name="Attempt">{task.attempt}</Cell>
        {task.started && (
          <Cell name="Began">
            <When at={task.started} seconds />
          </Cell>
        )}
        {task.started && (
          <Cell name="Took">
            <Took from={task.started} to={task.ended} />
          </Cell>
        )}
        <Cell name="Rows read">{number(task.rows_read)}</Cell>
        <Cell name="Rows written">{number(task.rows_written)}</Cell>
        <Cell name="Rows rejected">{number(task.rows_rejected)}</Cell>
        <Cell name="Written">{bytes(task.bytes_written)}</Cell>
        <Cell name="Peak memory">{bytes(task.peak_memory_bytes)}</Cell>
        <Cell name="CPU">{duration(task.cpu_ms)}</Cell>
        <Cell name="Version">{task.version >= 0 ? <Link href={to.table(task.table, 'versions')}>{task.version}</Link> : 'none'}</Cell>
      </dl>
      {checks.length > 0 && <Checks checks={checks} />}
      <h3>Log</h3>
      <RunLog key={task.table} run={run.run} open={isOpen(run.status)} task={task.table} />
    </section>
  );
}

const CHECK_COLUMNS: ListColumn<RunCheck>[] = [
  { name: 'Verdict', width: '8.5rem', cell: (check) => <Badge status={check.verdict} /> },
  { name: 'Table', width: 'minmax(8rem, 1fr)', cell: (check) => <Link href={to.table(check.table, 'checks')}>{check.table}</Link> },
  { name: 'Check', width: 'minmax(8rem, 1.2fr)', cell: (check) => <code>{check.check}</code> },
  { name: 'Observed', width: 'minmax(10rem, 2fr)', cell: (check) => check.message || check.observed || <span className="dim">nothing to tell</span> },
];

function Checks({ checks }: { checks: RunCheck[] }) {
  const rank = (check: RunCheck) => (BAD.has(check.verdict) ? 0 : 1);
  return (
    <List
      label="Verdicts of the checks"
      columns={CHECK_COLUMNS}
      rows={[...checks].sort((a, b) => rank(a) - rank(b))}
      rowKey={(check) => `${check.table} ${check.check}`}
      empty="No check ran."
    />
  );
}

/** The graph of the project cut to this run, with the state that its tables had in it. */
function RunGraph({ run }: { run: RunDetail }) {
  const states = new Map(run.tasks.map((task) => [task.table, task]));
  const cut = (whole: Graph): Graph => ({
    nodes: whole.nodes
      .filter((node) => states.has(node.table))
      .map((node) => {
        const { status, started, ended, rows_written, rows_rejected } = states.get(node.table)!;
        return { ...node, last: { run: run.run, status, started, ended, rows_written, rows_rejected } };
      }),
    edges: whole.edges.filter((edge) => edge.every((end) => states.has(end))),
  });
  return <Answered of={useQuery(graph())}>{(whole) => <Dag graph={cut(whole)} />}</Answered>;
}

function Header({ run }: { run: RunDetail }) {
  const [open, setOpen] = useState<'retry' | 'cancel' | null>(null);
  const may = useMay('operator');
  const { select, exclude, full_refresh, from_raw, interval, by } = run.request;
  const asked = [
    select.length ? `only ${select.join(' ')}` : '',
    exclude.length ? `without ${exclude.join(' ')}` : '',
    full_refresh ? 'all anew' : '',
    from_raw ? 'from the raw files' : '',
    interval ? `of ${interval.join(' to ')}` : '',
  ].filter(Boolean);
  return (
    <header className="page-head">
      <div>
        <p className="crumbs">
          <Link href="/runs">Runs</Link> <Icon name="right" size={10} /> <Link href={to.pipeline(run.pipeline)}>{run.pipeline}</Link>
        </p>
        <h1>
          {run.pipeline} <Badge status={run.status} />
        </h1>
        <p className="dim head-facts">
          <span>
            began <When at={run.started} seconds />
          </span>
          <span>
            {run.ended ? 'took ' : 'for '}
            <Took from={run.started} to={run.ended} />
          </span>
          <span>
            {CAUSE_WORDS[run.cause]}
            {by && ` of ${by}`}
          </span>
          {run.scheduled && (
            <span>
              due <When at={run.scheduled} />
            </span>
          )}
          {run.resumed > 0 && <span>taken again {count(run.resumed, 'time')}</span>}
          {asked.length > 0 && <span>{asked.join(', ')}</span>}
          <span className="path">{run.run}</span>
          <span className="path" title={run.release}>
            release {run.release.slice(0, 12)}
          </span>
        </p>
        <p className="counts-line">
          <CountsBar counts={run.counts} /> <span className="dim small">{countsText(run.counts)}</span>
        </p>
      </div>
      {may && (
        <div className="buttons">
          {run.can_cancel && (
            <button type="button" onClick={() => setOpen('cancel')}>
              <Icon name="stop" size={14} /> Cancel …
            </button>
          )}
          {run.can_retry && (
            <button type="button" className="main" onClick={() => setOpen('retry')}>
              <Icon name="retry" size={14} /> Retry …
            </button>
          )}
        </div>
      )}
      {open === 'retry' && <RetryDialog run={run} onClose={() => setOpen(null)} />}
      {open === 'cancel' && <CancelDialog run={run} onClose={() => setOpen(null)} />}
    </header>
  );
}

export function RunPage() {
  const { run: id = '' } = useParams<{ run: string }>();
  useTitle(`Run ${id}`);
  const answer = useQuery(runQuery(id));
  const [chosen, choose] = useParameter('task');
  return (
    <Answered of={answer}>
      {(run) => {
        const task = run.tasks.find((one) => one.table === chosen);
        const checks = newestVerdicts(run.checks);
        const bad = checks.filter((check) => BAD.has(check.verdict)).length;
        return (
          <>
            <Header run={run} />
            {!task && <Failures run={run} />}
            {run.resume && !task && (
              <div className="resume">
                To go on with it from a terminal: <Command line={run.resume} />
              </div>
            )}
            {task && <TaskPanel run={run} task={task} onClose={() => choose(null)} />}
            <Tabs
              label="Of the run"
              tabs={[
                { id: 'tasks', name: 'Tasks', content: () => <Gantt run={run} chosen={chosen} /> },
                { id: 'log', name: 'Log', content: () => <RunLog key={run.run} run={run.run} open={isOpen(run.status)} /> },
                { id: 'checks', name: bad ? `Checks (${bad} not passed)` : `Checks (${checks.length})`, content: () => <Checks checks={checks} /> },
                { id: 'graph', name: 'Graph', content: () => <RunGraph run={run} /> },
              ]}
            />
          </>
        );
      }}
    </Answered>
  );
}
