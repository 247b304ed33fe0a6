// The tabs of a table's page.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { lazy, useCallback } from 'react';
import { Link } from 'wouter';
import { lineage, partitions, tableChecks, tableTasks, versions } from '../api/queries';
import type { Column, Partitions, TableChecks, TableDetail, TableTasks, Version } from '../api/schema';
import { to } from '../parts/address';
import { HistoryBars } from '../parts/history_bars';
import { List, type ListColumn } from '../parts/list';
import { Answered, Command } from '../parts/problem';
import { Badge } from '../parts/status';
import { Took, When } from '../parts/time';
import { STATUS_WORDS, between, bytes, count, duration, longTime, number } from '../parts/words';

const Dag = lazy(() => import('../parts/dag'));

const dim = (text: string) => <span className="dim">{text}</span>;

export function Columns({ of }: { of: TableDetail }) {
  const keys = new Set(of.key ?? []);
  const parts = new Set(of.partition_by ?? []);
  const columns: ListColumn<Column>[] = [
    {
      name: 'Column',
      width: 'minmax(9rem, 1.2fr)',
      phone: 'bare',
      cell: (column) => (
        <span className="badges">
          <code className="name">{column.name}</code>
          {keys.has(column.name) && <span className="tag">key</span>}
          {parts.has(column.name) && <span className="tag">partition</span>}
        </span>
      ),
    },
    { name: 'Type', width: 'minmax(7rem, .8fr)', cell: (column) => <code className="dim">{column.type}</code> },
  ];
  if (of.columns.some((column) => column.description)) columns.push({ name: 'Description', width: 'minmax(9rem, 1.6fr)', cell: (column) => column.description ?? '' });
  if (of.columns.some((column) => column.origins?.length))
    columns.push({
      name: 'Comes from',
      width: 'minmax(9rem, 1.6fr)',
      cell: (column) => (
        <span className="small">
          {(column.origins ?? []).map((origin, i) => (
            <span key={`${origin.table}.${origin.column}`}>
              {i > 0 && ', '}
              <Link href={to.table(origin.table)}>{origin.table}</Link>.{origin.column}
            </span>
          ))}
        </span>
      ),
    });
  return <List label="Columns" columns={columns} rows={of.columns} rowKey={(column) => column.name} empty="It has no columns until it is first published." />;
}

const VERSION_COLUMNS: ListColumn<Version>[] = [
  { name: 'Version', width: '4rem', align: 'end', cell: (one) => <strong>{one.version}</strong> },
  { name: 'Published', width: 'minmax(6.5rem, 1fr)', cell: (one) => <When at={one.time} seconds /> },
  { name: 'What', width: 'minmax(5rem, .8fr)', cell: (one) => one.change || one.operation },
  { name: 'Rows', width: 'minmax(6rem, 1fr)', align: 'end', cell: (one) => <Delta added={one.rows_added} removed={one.rows_removed} /> },
  { name: 'Files', width: '4.5rem', align: 'end', cell: (one) => <Delta added={one.files_added} removed={one.files_removed} />, phone: 'none' },
  { name: 'Rejected', width: '4.8rem', align: 'end', cell: (one) => (one.counts?.rejected ? number(one.counts.rejected) : dim('none')) },
  {
    name: 'Raw files',
    width: 'minmax(6rem, 1.3fr)',
    phone: 'none',
    cell: (one) =>
      one.raw.length === 0 ? (
        dim('none')
      ) : (
        <span className="small cut" title={one.raw.map((raw) => `${raw.origin}: ${raw.key}`).join('\n')}>
          {one.raw[0]!.origin}
          {one.raw.length > 1 && ` and ${one.raw.length - 1} more`}
        </span>
      ),
  },
  {
    name: 'Run',
    width: 'minmax(7rem, 1.2fr)',
    cell: (one) => {
      const [run] = one.task.split('/');
      return run ? (
        <Link href={to.run(run)} className="small cut">
          {run}
        </Link>
      ) : (
        dim('none')
      );
    },
  },
];

function Delta({ added, removed }: { added: number; removed: number }) {
  return (
    <span className="number">
      {added > 0 && <span className="plus">+{number(added)}</span>} {removed > 0 && <span className="minus">−{number(removed)}</span>}
      {added + removed === 0 && dim('0')}
    </span>
  );
}

export function Versions({ of }: { of: TableDetail }) {
  const pages = useInfiniteQuery(versions(of.table));
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  return (
    <Answered of={pages}>
      {({ pages: read }) => {
        const rows = read.flatMap((page) => page.versions);
        return (
          <>
            {rows.length > 1 && (
              <figure>
                <figcaption>Rows added by version, newest at the right</figcaption>
                <HistoryBars
                  label="Rows added by version"
                  bars={rows
                    .slice(0, 100)
                    .reverse()
                    .map((one) => ({ key: String(one.version), value: one.rows_added, tone: 'succeeded', words: `Version ${one.version}, ${longTime(one.time)}: ${number(one.rows_added)} rows added` }))}
                />
              </figure>
            )}
            {(of.savepoints ?? []).length > 0 && (
              <p>
                Savepoints:{' '}
                {of.savepoints!.map((point) => (
                  <span key={point.name} className="tag" title={point.comment}>
                    {point.name}: version {point.version}
                  </span>
                ))}
              </p>
            )}
            <List label="Versions" columns={VERSION_COLUMNS} rows={rows} rowKey={(one) => String(one.version)} total={hasNextPage ? -1 : rows.length} onEnd={onEnd} empty="It has not been published yet." />
          </>
        );
      }}
    </Answered>
  );
}

type Partition = Partitions['partitions'][number];

export function Files({ of }: { of: TableDetail }) {
  return (
    <Answered of={useQuery(partitions(of.table))}>
      {({ partition_by, partitions: rows, total }) => {
        const columns: ListColumn<Partition>[] = [
          {
            name: partition_by.length ? partition_by.join(', ') : 'Partition',
            width: 'minmax(9rem, 2fr)',
            phone: 'bare',
            cell: (one) => Object.values(one.values).map((value) => value ?? 'NULL').join(', ') || 'the whole table',
          },
          { name: 'Rows', width: '8rem', align: 'end', cell: (one) => number(one.rows) },
          { name: 'Size', width: '7rem', align: 'end', cell: (one) => bytes(one.bytes) },
          { name: 'Files', width: '5rem', align: 'end', cell: (one) => number(one.files) },
          { name: 'Newest version', width: '8rem', align: 'end', cell: (one) => one.newest_version },
        ];
        return (
          <>
            <p className="dim">
              {count(of.files ?? 0, 'file')}, {bytes(of.bytes ?? 0)} in <span className="path">{of.folder}</span>
            </p>
            {rows.length > 1 && rows.length <= 400 && (
              <figure>
                <figcaption>Rows by partition</figcaption>
                <HistoryBars
                  label="Rows by partition"
                  bars={[...rows].reverse().map((one) => {
                    const name = Object.values(one.values).join(', ');
                    return { key: name, value: one.rows, tone: 'succeeded', words: `${name}: ${number(one.rows)} rows, ${bytes(one.bytes)}` };
                  })}
                />
              </figure>
            )}
            <List label="Partitions" columns={columns} rows={rows} rowKey={(one) => JSON.stringify(one.values)} empty="It has no files." />
            {total > rows.length && <p className="dim small list-foot">The first {number(rows.length)} of {number(total)}.</p>}
          </>
        );
      }}
    </Answered>
  );
}

type Verdicts = TableChecks['checks'];

const STRIP = 60;

/** Each check with its verdicts over time; the words of the newest one. */
export function Checks({ of }: { of: TableDetail }) {
  return (
    <Answered of={useQuery(tableChecks(of.table))}>
      {({ checks: all }) => {
        const by = new Map<string, Verdicts>();
        for (const verdict of all) by.set(verdict.check, [...(by.get(verdict.check) ?? []), verdict]);
        if (by.size === 0) return <p className="empty">No check of it has run.</p>;
        return (
          <ul className="check-strips">
            {[...by].map(([check, verdicts]) => {
              const newest = verdicts[0]!;
              return (
                <li key={check}>
                  <div className="strip-head">
                    <code>{check}</code> <Badge status={newest.verdict} />
                    <span className="dim small">
                      <When at={newest.time} />, <Link href={to.run(newest.run, of.table)}>run</Link>
                    </span>
                  </div>
                  <ol className="strip" aria-label={`Verdicts of ${check}, the newest last`} tabIndex={0}>
                    {verdicts
                      .slice(0, STRIP)
                      .reverse()
                      .map((one) => {
                        const words = `${longTime(one.time)}: ${STATUS_WORDS[one.verdict]}${one.observed ? `, ${one.observed}` : ''}`;
                        return (
                          <li key={`${one.run} ${one.time}`} title={words}>
                            <span className={`fill square s-${one.verdict}`} />
                            <span className="unseen">{words}</span>
                          </li>
                        );
                      })}
                  </ol>
                  <p className="small">{newest.message || newest.observed}</p>
                </li>
              );
            })}
          </ul>
        );
      }}
    </Answered>
  );
}

export function Rejects({ of }: { of: TableDetail }) {
  return (
    <>
      <p>
        {of.rejected_rows === 0
          ? 'No row was rejected, or those that were have been corrected.'
          : `${count(of.rejected_rows, 'row')} that broke a check or could not be read ${of.rejected_rows === 1 ? 'is' : 'are'} kept beside the table, with the reason.`}
      </p>
      {of.rejected_rows > 0 && (
        <>
          <p>To look at them:</p>
          <Command line={`caudal sql "FROM ${of.table}__rejects LIMIT 20"`} />
        </>
      )}
    </>
  );
}

export function Lineage({ of }: { of: TableDetail }) {
  return (
    <Answered of={useQuery(lineage(of.table))}>
      {({ graph, columns }) => {
        const here = Object.entries(columns[of.table] ?? {});
        const readers = Object.entries(columns)
          .filter(([table]) => table !== of.table)
          .flatMap(([table, its]) => Object.entries(its).flatMap(([column, from]) => from.filter((one) => one.table === of.table).map((one) => ({ table, column, from: one.column }))));
        return (
          <>
            <Dag graph={graph} chosen={of.table} small />
            {here.length > 0 && (
              <>
                <h2>Where its columns come from</h2>
                <ul className="flows">
                  {here.map(([column, from]) => (
                    <li key={column}>
                      <code>{column}</code> <span className="dim">from</span>{' '}
                      {from.length === 0
                        ? dim('no column')
                        : from.map((one, i) => (
                            <span key={`${one.table}.${one.column}`}>
                              {i > 0 && ', '}
                              <Link href={to.table(one.table)}>{one.table}</Link>.{one.column}
                            </span>
                          ))}
                    </li>
                  ))}
                </ul>
              </>
            )}
            {readers.length > 0 && (
              <>
                <h2>What its columns flow into</h2>
                <ul className="flows">
                  {readers.map((one) => (
                    <li key={`${one.table}.${one.column} ${one.from}`}>
                      <code>{one.from}</code> <span className="dim">into</span> <Link href={to.table(one.table)}>{one.table}</Link>.{one.column}
                    </li>
                  ))}
                </ul>
              </>
            )}
          </>
        );
      }}
    </Answered>
  );
}

type TableTask = TableTasks['tasks'][number];

const TASK_COLUMNS: ListColumn<TableTask>[] = [
  { name: 'State', width: '7.5rem', cell: (task) => <Badge status={task.status} /> },
  { name: 'Began', width: 'minmax(8rem, .8fr)', cell: (task) => (task.started ? <Link href={to.run(task.run, task.table)}><When at={task.started} seconds /></Link> : dim('not begun')) },
  { name: 'Took', width: '6rem', align: 'end', cell: (task) => (task.started ? <Took from={task.started} to={task.ended} /> : '') },
  { name: 'Rows', width: '7rem', align: 'end', cell: (task) => (task.rows_written ? number(task.rows_written) : '') },
  { name: 'Peak memory', width: '7rem', align: 'end', cell: (task) => (task.peak_memory_bytes ? bytes(task.peak_memory_bytes) : ''), phone: 'none' },
  { name: 'What', width: 'minmax(9rem, 2fr)', cell: (task) => task.error?.message ?? task.note },
];

export function Tasks({ of }: { of: TableDetail }) {
  return (
    <Answered of={useQuery(tableTasks(of.table))}>
      {({ tasks }) => {
        const timed = tasks.filter((task) => task.started && task.ended).slice(0, 100);
        return (
          <>
            {timed.length > 1 && (
              <figure>
                <figcaption>How long it took, newest at the right</figcaption>
                <HistoryBars
                  label="How long it took"
                  bars={[...timed].reverse().map((task) => {
                    const ms = between(task.started!, task.ended!);
                    return { key: `${task.run} ${task.attempt}`, value: ms, tone: task.status, words: `${longTime(task.started!)}: ${STATUS_WORDS[task.status]}, ${duration(ms)}` };
                  })}
                />
              </figure>
            )}
            <List label="Tasks" columns={TASK_COLUMNS} rows={tasks} rowKey={(task) => `${task.run} ${task.attempt}`} empty="It has not run yet." />
          </>
        );
      }}
    </Answered>
  );
}
