// Where the rows come from: last loads, cursors, what failed.
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Link } from 'wouter';
import { sources } from '../api/queries';
import type { Stream } from '../api/schema';
import { to, useParameter, useTitle } from '../parts/address';
import { List, type ListColumn } from '../parts/list';
import { Answered, Cause } from '../parts/problem';
import { Badge } from '../parts/status';
import { When } from '../parts/time';
import { bytes, number } from '../parts/words';

const COLUMNS: ListColumn<Stream>[] = [
  { name: 'Stream', width: 'minmax(7rem, 1.2fr)', phone: 'bare', cell: (one) => <Link href={to.table(one.table)} className="name">{one.stream}</Link> },
  { name: 'Newest load', width: '7.5rem', cell: (one) => (one.last ? <Link href={to.run(one.last.run, one.table)} className="plain"><Badge status={one.last.status} /></Link> : <Badge status="never" />) },
  { name: 'Ended', width: 'minmax(6.5rem, .8fr)', cell: (one) => (one.last?.ended ? <When at={one.last.ended} /> : <span className="dim">not yet</span>) },
  { name: 'Last new rows', width: 'minmax(6.5rem, .8fr)', cell: (one) => (one.updated ? <When at={one.updated} /> : <span className="dim">none</span>) },
  { name: 'Rows', width: '5.5rem', align: 'end', cell: (one) => (one.rows === undefined ? '' : number(one.rows)) },
  { name: 'Size', width: '4.8rem', align: 'end', cell: (one) => (one.bytes === undefined ? '' : bytes(one.bytes)), phone: 'none' },
  { name: 'Written as', width: '5rem', cell: (one) => <span className="dim">{one.write_disposition}</span>, phone: 'none' },
  {
    name: 'Cursor',
    width: 'minmax(7rem, 1.6fr)',
    cell: (one) => (one.cursor ? <code className="small cut" title={one.cursor}>{one.cursor}</code> : <span className="dim">none</span>),
  },
];

export function SourcesPage() {
  useTitle('Sources');
  const answer = useQuery(sources());
  const [wanted] = useParameter('source');
  const ready = answer.isSuccess;
  useEffect(() => {
    if (ready && wanted) document.getElementById(`source-${wanted}`)?.scrollIntoView({ block: 'start' });
  }, [ready, wanted]);
  return (
    <>
      <header className="page-head">
        <h1>Sources</h1>
      </header>
      <Answered of={answer}>
        {({ sources: all }) =>
          all.length === 0 ? (
            <p className="empty">The project has no source: a file in sources/ makes one.</p>
          ) : (
            all.map((source) => (
              <section key={source.source} id={`source-${source.source}`} className="source">
                <h2>
                  {source.source} <span className="tag">{source.type}</span>
                </h2>
                <p className="dim">
                  {[source.description, source.owner && `owner ${source.owner}`].filter(Boolean).join(' · ')} <span className="path">{source.path}</span>
                </p>
                {source.streams
                  .filter((stream) => stream.last?.error)
                  .map((stream) => (
                    <div key={stream.stream} className="box box-failed">
                      <Cause title={stream.table} where={stream.last!.error!.where} message={stream.last!.error!.message} next={stream.last!.error!.next} />
                      <p>
                        <Link href={to.run(stream.last!.run, stream.table)}>Open the run</Link>
                      </p>
                    </div>
                  ))}
                <List label={`Streams of ${source.source}`} columns={COLUMNS} rows={source.streams} rowKey={(one) => one.stream} empty="It has no stream." />
              </section>
            ))
          )
        }
      </Answered>
    </>
  );
}
