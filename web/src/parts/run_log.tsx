// The log of a run as it grows. What was read stays; what is new is asked for behind it.
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import { client, got } from '../api/client';
import type { LogLine } from '../api/schema';
import { ProblemBox } from './problem';
import { bytes, clockTime, longTime, number } from './words';

type Line = LogLine & Record<string, unknown>;

const object = (value: unknown): Record<string, unknown> => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {});

/** What a line says behind its event, in words. */
function lineText(line: Line): string {
  const error = object(line.error);
  const rows = object(line.rows);
  const parts = [
    typeof line.attempt === 'number' && line.attempt > 1 ? `attempt ${line.attempt}` : '',
    typeof rows.written === 'number' && rows.written > 0 ? `${number(rows.written)} rows` : '',
    typeof rows.rejected === 'number' && rows.rejected > 0 ? `${number(rows.rejected)} rejected` : '',
    typeof line.peak_memory_bytes === 'number' && line.peak_memory_bytes > 0 ? `peak ${bytes(line.peak_memory_bytes)}` : '',
    typeof line.note === 'string' ? line.note : '',
    typeof line.cause === 'string' ? `cause ${line.cause}` : '',
    typeof error.where === 'string' && error.where ? `${error.where}:` : '',
    typeof error.message === 'string' ? error.message : '',
    typeof error.next === 'string' && error.next ? `Next: ${error.next}` : '',
  ];
  return parts.filter(Boolean).join('  ');
}

function useRunLog(run: string, open: boolean) {
  const [lines, setLines] = useState<Line[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [round, setRound] = useState(0);
  const after = useRef(0);
  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async () => {
      try {
        const page = await got(
          client.GET('/api/v1/runs/{run}/log', { signal: stop.signal, params: { path: { run }, query: { after: after.current, limit: 1000 } } }),
        );
        setError(null);
        after.current = page.next;
        if (page.lines.length) setLines((old) => [...old, ...(page.lines as Line[])]);
        if (page.more) return void read();
        if (!page.ended) timer = setTimeout(() => void read(), 1000);
      } catch (problem) {
        if (!stop.signal.aborted) setError(problem);
      }
    };
    void read();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
    // A run that is taken again, or was queued, goes on growing.
  }, [run, open, round]);
  return { lines, error, again: () => setRound((n) => n + 1) };
}

export function RunLog({ run, open, task }: { run: string; open: boolean; task?: string }) {
  const { lines: all, error, again } = useRunLog(run, open);
  const lines = task ? all.filter((line) => line.task === task) : all;
  const box = useRef<HTMLDivElement>(null);
  const [follow, setFollow] = useState(true);
  const virtual = useVirtualizer({ count: lines.length, getScrollElement: () => box.current, estimateSize: () => 22, overscan: 20 });
  useEffect(() => {
    if (follow && open && lines.length) virtual.scrollToIndex(lines.length - 1, { align: 'end' });
  }, [follow, open, lines.length, virtual]);
  return (
    <>
      {error ? <ProblemBox error={error} again={again} /> : null}
      {open && (
        <label className="check follow">
          <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.target.checked)} /> Keep to the newest line
        </label>
      )}
      <div
        className="log"
        ref={box}
        role="log"
        aria-live="off"
        aria-label={task ? `Log of ${task}` : 'Log of the run'}
        tabIndex={0}
        style={{ height: Math.max(48, virtual.getTotalSize() + 18) }}
        onWheel={(event) => event.deltaY < 0 && setFollow(false)}
      >
        {lines.length === 0 && !error && <p className="empty">No line yet.</p>}
        <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map((item) => {
            const line = lines[item.index]!;
            return (
              <div key={item.key} ref={virtual.measureElement} data-index={item.index} className={`log-line log-${line.event.split('.')[1]}`} style={{ transform: `translateY(${item.start}px)` }}>
                <time dateTime={line.at} title={longTime(line.at)}>
                  {clockTime(line.at)}
                </time>
                <span className="log-event">{line.event}</span>
                <span className="log-text">
                  {line.task && !task && <strong>{line.task} </strong>}
                  {lineText(line)}
                </span>
              </div>
            );
          })}
        </div>
      </div>
    </>
  );
}
