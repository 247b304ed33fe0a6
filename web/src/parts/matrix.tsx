// Tables by runs. Only what is in sight is in the document; arrows move, Enter opens.
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { useLocation } from 'wouter';
import type { Matrix } from '../api/schema';
import { to } from './address';
import { useNow } from './time';
import { STATUS_WORDS, between, duration, moment, number } from './words';

const CELL = 24;
const HEAD = 74;
const BAR = 52;

export function RunMatrix({ matrix }: { matrix: Matrix }) {
  const { runs, tables, cells } = matrix;
  const box = useRef<HTMLDivElement>(null);
  const moved = useRef(false);
  const [at, setAt] = useState({ row: 0, column: 0 });
  const [, go] = useLocation();
  const now = useNow();
  const [names, setNames] = useState(220);
  useEffect(() => {
    const fit = () => setNames(window.innerWidth < 700 ? 132 : 220);
    fit();
    window.addEventListener('resize', fit);
    return () => window.removeEventListener('resize', fit);
  }, []);
  const rows = useVirtualizer({ count: tables.length, getScrollElement: () => box.current, estimateSize: () => CELL, overscan: 10, scrollMargin: HEAD });
  const columns = useVirtualizer({ count: runs.length, getScrollElement: () => box.current, estimateSize: () => CELL, overscan: 10, horizontal: true, scrollMargin: names });

  useEffect(() => {
    if (!moved.current) return;
    box.current?.querySelector<HTMLElement>(`[data-at="${at.row} ${at.column}"]`)?.focus();
  });

  const tookMs = (index: number) => {
    const run = runs[index]!;
    return run.ended ? between(run.started, run.ended) : now - Date.parse(run.started);
  };
  const longest = Math.max(1, ...runs.map((_, index) => tookMs(index)));

  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const next = { ...at };
    if (step) {
      next.row = Math.min(tables.length - 1, Math.max(-1, at.row + step[0]!));
      next.column = Math.min(runs.length - 1, Math.max(0, at.column + step[1]!));
    } else if (event.key === 'Home') next.column = 0;
    else if (event.key === 'End') next.column = runs.length - 1;
    else return;
    event.preventDefault();
    moved.current = true;
    if (next.row >= 0) rows.scrollToIndex(next.row);
    columns.scrollToIndex(next.column);
    setAt(next);
  };

  if (runs.length === 0) return <p className="empty">It has not run yet.</p>;
  return (
    <div className="matrix" ref={box} role="grid" aria-label="Tables by runs, the newest run first" aria-rowcount={tables.length + 1} aria-colcount={runs.length + 1} onKeyDown={onKey}>
      <div className="matrix-inside" style={{ width: names + runs.length * CELL + 8, height: HEAD + tables.length * CELL + 8 }}>
        <div role="row" aria-rowindex={1} className="matrix-head" style={{ height: HEAD }}>
          <div role="columnheader" className="matrix-corner" style={{ width: names }}>
            <span>newest run first</span>
            <span>{duration(longest)} at most</span>
          </div>
          {columns.getVirtualItems().map((column) => {
            const run = runs[column.index]!;
            const words = `${STATUS_WORDS[run.status]}, ${moment(run.started, now)}, took ${duration(tookMs(column.index))}`;
            return (
              <div key={run.run} role="columnheader" aria-colindex={column.index + 2} className="matrix-run" style={{ left: column.start, width: CELL, height: HEAD }}>
                <a
                  href={to.run(run.run)}
                  title={words}
                  aria-label={`Run: ${words}`}
                  data-at={`-1 ${column.index}`}
                  tabIndex={at.row === -1 && at.column === column.index ? 0 : -1}
                  onClick={(event) => {
                    if (event.metaKey || event.ctrlKey) return;
                    event.preventDefault();
                    go(to.run(run.run));
                  }}
                >
                  <span className={`fill s-${run.status}`} style={{ height: Math.max(4, Math.round((BAR * tookMs(column.index)) / longest)) }} />
                </a>
              </div>
            );
          })}
        </div>
        {rows.getVirtualItems().map((row) => {
          const table = tables[row.index]!;
          return (
            <div key={table} role="row" aria-rowindex={row.index + 2} className="matrix-row" style={{ top: row.start, height: CELL }}>
              <div role="rowheader" className="matrix-name" style={{ width: names }} title={table}>
                {table}
              </div>
              {columns.getVirtualItems().map((column) => {
                const run = runs[column.index]!;
                const cell = cells[row.index]?.[column.index] ?? null;
                const words = cell
                  ? [
                      STATUS_WORDS[cell.status],
                      cell.took_ms === null ? '' : duration(cell.took_ms),
                      cell.rows ? `${number(cell.rows)} rows` : '',
                      cell.rejected ? `${number(cell.rejected)} rejected` : '',
                      cell.attempt > 1 ? `attempt ${cell.attempt}` : '',
                    ]
                      .filter(Boolean)
                      .join(', ')
                  : 'not in this run';
                const here = at.row === row.index && at.column === column.index;
                const place = { left: column.start, width: CELL, height: CELL };
                return (
                  <div key={run.run} role="gridcell" aria-colindex={column.index + 2} className="matrix-cell" style={place}>
                    {cell ? (
                      <a
                        href={to.run(run.run, table)}
                        title={`${table}, ${moment(run.started, now)}: ${words}`}
                        aria-label={`${table}, ${moment(run.started, now)}: ${words}`}
                        data-at={`${row.index} ${column.index}`}
                        tabIndex={here ? 0 : -1}
                        onClick={(event) => {
                          if (event.metaKey || event.ctrlKey) return;
                          event.preventDefault();
                          go(to.run(run.run, table));
                        }}
                      >
                        <span className={`fill square s-${cell.status} ${cell.rejected ? 'has-rejected' : ''}`} />
                      </a>
                    ) : (
                      <span data-at={`${row.index} ${column.index}`} tabIndex={here ? 0 : -1} aria-label={words} role="img" />
                    )}
                  </div>
                );
              })}
            </div>
          );
        })}
      </div>
    </div>
  );
}

const LEGEND = ['succeeded', 'unchanged', 'failed', 'blocked', 'running', 'waiting', 'cancelled'] as const;

export function MatrixLegend() {
  return (
    <p className="legend dim small">
      {LEGEND.map((status) => (
        <span key={status}>
          <span className={`fill square s-${status}`} /> {STATUS_WORDS[status]}
        </span>
      ))}
      <span>
        <span className="fill square s-succeeded has-rejected" /> with rejected rows
      </span>
    </p>
  );
}
