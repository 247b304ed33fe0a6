// Begin, go on with, or stop a run. Each shows what will happen before it does.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useDeferredValue, useState } from 'react';
import { useLocation } from 'wouter';
import { client, got } from '../api/client';
import { pipeline as pipelineQuery } from '../api/queries';
import type { RunDetail, RunRequest } from '../api/schema';
import { to } from '../parts/address';
import { Field } from '../parts/field';
import { Modal } from '../parts/modal';
import { Answered, ProblemBox } from '../parts/problem';
import { Sign } from '../parts/status';
import { When } from '../parts/time';
import { STATUS_WORDS, count } from '../parts/words';
import { PlanView } from './plan_view';

const words = (text: string) => text.split(/\s+/).filter((word) => word !== '');

function useAfterwards(onClose: () => void) {
  const queries = useQueryClient();
  const [, go] = useLocation();
  return (run: string | null) => {
    for (const noun of ['overview', 'pipelines', 'runs', 'run']) void queries.invalidateQueries({ queryKey: [noun] });
    onClose();
    if (run) go(to.run(run));
  };
}

export function TriggerDialog({ pipeline, onClose }: { pipeline: string; onClose: () => void }) {
  const [select, setSelect] = useState('');
  const [exclude, setExclude] = useState('');
  const [fullRefresh, setFullRefresh] = useState(false);
  const request: RunRequest = {
    pipeline,
    ...(words(select).length ? { select: words(select) } : {}),
    ...(words(exclude).length ? { exclude: words(exclude) } : {}),
    ...(fullRefresh ? { full_refresh: true } : {}),
  };
  const done = useAfterwards(onClose);
  const begin = useMutation({
    mutationFn: () => got(client.POST('/api/v1/runs', { body: request })),
    onSuccess: (asked) => done(asked.run),
  });
  const text = useDeferredValue(JSON.stringify(request));
  return (
    <Modal title={`Run ${pipeline}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          begin.mutate();
        }}
      >
        <details className="options">
          <summary>Only some tables, or all anew</summary>
          <Field name="Only these" hint="Selectors: a table, +table with what it reads, table+ with what reads it, tag:x, path:y. Empty: what the pipeline says.">
            <input value={select} onChange={(event) => setSelect(event.target.value)} placeholder="silver.orders+ tag:finance" spellCheck={false} autoComplete="off" />
          </Field>
          <Field name="Without these">
            <input value={exclude} onChange={(event) => setExclude(event.target.value)} spellCheck={false} autoComplete="off" />
          </Field>
          <label className="check">
            <input type="checkbox" checked={fullRefresh} onChange={(event) => setFullRefresh(event.target.checked)} />
            Build the tables anew from all rows of their inputs
          </label>
        </details>
        <PlanView request={JSON.parse(text) as RunRequest} />
        {begin.error && <ProblemBox error={begin.error} />}
        <div className="buttons">
          <button type="button" onClick={onClose}>
            Close
          </button>
          <button type="submit" className="main" disabled={begin.isPending}>
            Run
          </button>
        </div>
      </form>
    </Modal>
  );
}

const isDone = (status: string) => status === 'succeeded' || status === 'unchanged';

export function RetryDialog({ run, onClose }: { run: RunDetail; onClose: () => void }) {
  const open = run.tasks.filter((task) => !isDone(task.status));
  const finished = useAfterwards(onClose);
  const retry = useMutation({
    mutationFn: () => got(client.POST('/api/v1/runs/{run}/retry', { params: { path: { run: run.run } }, body: {} })),
    onSuccess: (asked) => finished(asked.run),
  });
  return (
    <Modal title={`Retry ${run.pipeline}`} onClose={onClose}>
      <p>
        The run goes on with {count(open.length, 'table')} that {open.length === 1 ? 'is' : 'are'} not done.{' '}
        {run.tasks.length - open.length > 0 && `${count(run.tasks.length - open.length, 'table')} that ${run.tasks.length - open.length === 1 ? 'is' : 'are'} done stay as they are.`}
      </p>
      {open.length > 0 && <PlanView request={{ pipeline: run.pipeline, select: open.map((task) => task.table) }} />}
      {retry.error && <ProblemBox error={retry.error} />}
      <div className="buttons">
        <button type="button" onClick={onClose}>
          Close
        </button>
        <button type="button" className="main" disabled={retry.isPending} onClick={() => retry.mutate()}>
          Retry
        </button>
      </div>
    </Modal>
  );
}

export function CancelDialog({ run, onClose }: { run: RunDetail; onClose: () => void }) {
  const stopped = run.tasks.filter((task) => task.status === 'running' || task.status === 'waiting');
  const finished = useAfterwards(onClose);
  const cancel = useMutation({
    mutationFn: () => got(client.POST('/api/v1/runs/{run}/cancel', { params: { path: { run: run.run } } })),
    onSuccess: () => finished(null),
  });
  return (
    <Modal title={`Cancel the run of ${run.pipeline}`} onClose={onClose}>
      <p>Tables that are done stay done; what is not published yet is thrown away. The run can be retried.</p>
      {stopped.length > 0 && (
        <section className="plan">
          <h3>What will stop</h3>
          <ul className="plan-items">
            {stopped.map((task) => (
              <li key={task.table}>
                <span className="plan-action">
                  <Sign status={task.status} /> {STATUS_WORDS[task.status]}
                </span>
                <strong>{task.table}</strong>
              </li>
            ))}
          </ul>
        </section>
      )}
      {cancel.error && <ProblemBox error={cancel.error} />}
      <div className="buttons">
        <button type="button" onClick={onClose}>
          Let it run
        </button>
        <button type="button" className="main danger" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
          Cancel the run
        </button>
      </div>
    </Modal>
  );
}

export function PauseDialog({ pipeline, paused, onClose }: { pipeline: string; paused: boolean; onClose: () => void }) {
  const answer = useQuery(pipelineQuery(pipeline));
  const done = useAfterwards(onClose);
  const change = useMutation({
    mutationFn: () =>
      got(
        paused
          ? client.POST('/api/v1/pipelines/{pipeline}/resume', { params: { path: { pipeline } } })
          : client.POST('/api/v1/pipelines/{pipeline}/pause', { params: { path: { pipeline } } }),
      ),
    onSuccess: () => done(null),
  });
  return (
    <Modal title={paused ? `Resume ${pipeline}` : `Pause ${pipeline}`} onClose={onClose}>
      <p>
        {paused
          ? 'The daemon runs it again by itself. Times that passed while it was paused are given up.'
          : 'The daemon begins no run of it by itself until it is resumed. A run that goes on is not stopped; runs by hand are still possible.'}
      </p>
      <Answered of={answer}>
        {({ upcoming, running }) => (
          <>
            {!paused && running && <p>Run {running} goes on.</p>}
            {upcoming.length > 0 && (
              <section className="plan">
                <h3>{paused ? 'Its next times' : 'These times will not run'}</h3>
                <ul className="times">
                  {upcoming.map((at) => (
                    <li key={at}>
                      <When at={at} />
                    </li>
                  ))}
                </ul>
              </section>
            )}
          </>
        )}
      </Answered>
      {change.error && <ProblemBox error={change.error} />}
      <div className="buttons">
        <button type="button" onClick={onClose}>
          Close
        </button>
        <button type="button" className="main" disabled={change.isPending} onClick={() => change.mutate()}>
          {paused ? 'Resume' : 'Pause'}
        </button>
      </div>
    </Modal>
  );
}
