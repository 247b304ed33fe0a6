// The tasks of a run with the time that each took, on one axis.
import { Link } from 'wouter';
import type { RunDetail, Task } from '../api/schema';
import { to } from './address';
import { Badge } from './status';
import { useNow } from './time';
import { bytes, duration, number, STATUS_WORDS } from './words';

const STEPS_S = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];

function ticks(total_ms: number) {
  const step = (STEPS_S.find((s) => total_ms / (s * 1000) <= 6) ?? 86400) * 1000;
  return Array.from({ length: Math.floor(total_ms / step) + 1 }, (_, i) => i * step);
}

/** Those that began first, in the order of their beginning, then those that have not. */
function ordered(tasks: Task[]) {
  const start = (task: Task) => (task.started ? Date.parse(task.started) : Infinity);
  return [...tasks].sort((a, b) => start(a) - start(b) || 0);
}

function memory(task: Task) {
  const now = task.progress?.memory_bytes ?? 0;
  return task.status === 'running' && now ? `${bytes(now)} now` : task.peak_memory_bytes ? bytes(task.peak_memory_bytes) : '';
}

function rows(task: Task) {
  if (task.status === 'running' && task.progress) return task.progress.rows ? number(task.progress.rows) : '';
  if (!task.rows_written && !task.rows_rejected) return '';
  return number(task.rows_written) + (task.rows_rejected ? ` (+${number(task.rows_rejected)} rejected)` : '');
}

export function Gantt({ run, chosen }: { run: RunDetail; chosen: string | null }) {
  const now = useNow();
  // A run that was taken again holds tasks of its first time: the axis begins with the first of them.
  const starts = run.tasks.flatMap((task) => (task.started ? [Date.parse(task.started)] : []));
  const begin = Math.min(Date.parse(run.started), ...starts);
  const end = Math.max(run.ended ? Date.parse(run.ended) : now, begin + 1);
  const total = end - begin;
  const left = (ms: number) => `${(100 * ms) / total}%`;
  return (
    <div className="gantt" role="table" aria-label="Tasks of the run">
      <div role="rowgroup">
        <div role="row" className="gantt-row gantt-head">
          <div role="columnheader">Table</div>
          <div role="columnheader">State</div>
          <div role="columnheader" className="end">
            Took
          </div>
          <div role="columnheader" className="end">
            Rows
          </div>
          <div role="columnheader" className="end">
            Memory
          </div>
          <div role="columnheader" className="gantt-axis">
            <b className="unseen">When</b>
            {ticks(total).map((ms) => (
              <span key={ms} style={{ left: left(ms) }} aria-hidden="true">
                {ms === 0 ? '0' : duration(ms)}
              </span>
            ))}
          </div>
        </div>
      </div>
      <div role="rowgroup">
        {ordered(run.tasks).map((task) => {
          const from = task.started ? Date.parse(task.started) : null;
          const until = task.ended ? Date.parse(task.ended) : now;
          const took = from === null ? '' : duration(until - from);
          const words = from === null ? STATUS_WORDS[task.status] : `began ${duration(from - begin)} after the run, took ${took}`;
          return (
            <div key={task.table} role="row" className={`gantt-row ${task.table === chosen ? 'chosen' : ''}`}>
              <div role="cell" className="gantt-name">
                <Link href={to.run(run.run, task.table)} aria-current={task.table === chosen ? 'true' : undefined} replace>
                  {task.table}
                </Link>
              </div>
              <div role="cell">
                <Badge status={task.status} />
                {task.attempt > 1 && <span className="dim small"> attempt {task.attempt}</span>}
              </div>
              <div role="cell" className="end" data-name="Took">
                {took}
              </div>
              <div role="cell" className="end" data-name="Rows">
                {rows(task)}
              </div>
              <div role="cell" className="end" data-name="Memory">
                {memory(task)}
              </div>
              <div role="cell" className="gantt-bars" title={words}>
                {ticks(total).map((ms) => (
                  <span key={ms} className="gantt-grid" style={{ left: left(ms) }} />
                ))}
                {from !== null && (
                  <span
                    className={`fill gantt-bar s-${task.status}`}
                    style={{ left: left(from - begin), width: `max(3px, ${left(until - from)})` }}
                    role="img"
                    aria-label={words}
                  />
                )}
              </div>
            </div>
          );
        })}
      </div>
    </div>
  );
}
