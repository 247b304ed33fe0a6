// Every run there was, newest first, however many.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { Link } from 'wouter';
import { newestRuns, pipelines, runPages, type RunFilter } from '../api/queries';
import type { Run } from '../api/schema';
import { to, useParameter, useTitle } from '../parts/address';
import { Chips } from '../parts/filter';
import { List, type ListColumn } from '../parts/list';
import { Answered, ProblemBox } from '../parts/problem';
import { Badge, CountsBar } from '../parts/status';
import { Took, When } from '../parts/time';
import { CAUSE_WORDS, countsText, number } from '../parts/words';

const STATUSES = ['running', 'succeeded', 'failed', 'cancelled', 'interrupted'] as const;

const COLUMNS: ListColumn<Run>[] = [
  { name: 'State', width: '7.5rem', cell: (run) => <Badge status={run.status} /> },
  {
    name: 'Run',
    width: 'minmax(9rem, 1.4fr)',
    phone: 'bare',
    cell: (run) => (
      <span className="two-lines">
        <Link href={to.run(run.run)} className="name">
          {run.pipeline}
        </Link>
        <span className="dim small cut">{run.run}</span>
      </span>
    ),
  },
  { name: 'Began', width: 'minmax(8rem, 1fr)', cell: (run) => <When at={run.started} seconds /> },
  { name: 'Took', width: '6.5rem', align: 'end', cell: (run) => <Took from={run.started} to={run.ended} /> },
  {
    name: 'Tables',
    width: 'minmax(10rem, 1.4fr)',
    cell: (run) => (
      <span className="two-lines">
        <CountsBar counts={run.counts} />
        <span className="dim small cut">{countsText(run.counts)}</span>
      </span>
    ),
  },
  { name: 'Cause', width: '8rem', cell: (run) => <span className="dim">{CAUSE_WORDS[run.cause]}</span>, phone: 'none' },
];

/** The newest as they are now, then the older ones as they were when they were read. */
function merged(newest: Run[], older: Run[]) {
  const known = new Set(newest.map((run) => run.run));
  return [...newest, ...older.filter((run) => !known.has(run.run))];
}

export function RunsPage() {
  useTitle('Runs');
  const [status] = useParameter('status');
  const [pipeline, setPipeline] = useParameter('pipeline');
  const filter: RunFilter = {
    ...(STATUSES.includes(status as (typeof STATUSES)[number]) ? { status: status as (typeof STATUSES)[number] } : {}),
    ...(pipeline ? { pipeline } : {}),
  };
  const newest = useQuery(newestRuns(filter));
  const pages = useInfiniteQuery(runPages(filter));
  const names = useQuery(pipelines());
  const rows = useMemo(() => merged(newest.data?.runs ?? [], pages.data?.pages.flatMap((page) => page.runs) ?? []), [newest.data, pages.data]);
  const { hasNextPage, isFetchingNextPage, isError, fetchNextPage } = pages;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage && !isError) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, isError, fetchNextPage]);
  return (
    <>
      <header className="page-head">
        <h1>Runs</h1>
      </header>
      <div className="filters">
        <label className="inline">
          Pipeline
          <select value={pipeline ?? ''} onChange={(event) => setPipeline(event.target.value)}>
            <option value="">all</option>
            {[...new Set([...(names.data?.pipelines.map((one) => one.pipeline) ?? []), ...(pipeline ? [pipeline] : [])])].map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <Chips label="State" parameter="status" choices={[['', 'all'], ...STATUSES.map((name): [string, string] => [name, name])]} />
      </div>
      <Answered of={newest}>
        {() => (
          <List
            label="Runs"
            columns={COLUMNS}
            rows={rows}
            rowKey={(run) => run.run}
            total={hasNextPage ? -1 : rows.length}
            onEnd={onEnd}
            empty={status || pipeline ? 'No run fits.' : 'Nothing has run yet.'}
          />
        )}
      </Answered>
      {pages.error ? <ProblemBox error={pages.error} again={() => void fetchNextPage()} /> : null}
      {rows.length > 0 && (
        <p className="dim small list-foot" role="status">
          {isFetchingNextPage ? 'Loading more …' : hasNextPage ? `The newest ${number(rows.length)}; more come as you scroll.` : `${number(rows.length)} in all.`}
        </p>
      )}
    </>
  );
}
