// What is wrong now, what people were told, and whether it reached them.
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { useCallback } from 'react';
import { Link } from 'wouter';
import { alerts } from '../api/queries';
import { client, got } from '../api/client';
import type { Message } from '../api/schema';
import { to, useTitle } from '../parts/address';
import { List, type ListColumn } from '../parts/list';
import { Answered, ProblemBox } from '../parts/problem';
import { useMay } from '../parts/session';
import { Badge } from '../parts/status';
import { Ago, When } from '../parts/time';
import { count } from '../parts/words';

const STATE = { waiting: 'waiting', sent: 'succeeded', 'given up': 'failed' } as const;

const COLUMNS: ListColumn<Message>[] = [
  { name: 'State', width: '7.5rem', cell: (one) => <Badge status={STATE[one.status]} text={one.status} /> },
  {
    name: 'Message',
    width: 'minmax(12rem, 3fr)',
    phone: 'bare',
    cell: (one) => (
      <span className="two-lines">
        {one.run ? <Link href={to.run(one.run)}>{one.title}</Link> : <span>{one.title}</span>}
        {one.facts.length > 0 && <span className="dim small">{one.facts.join(' · ')}</span>}
        {one.error && <span className="small bad">{one.error}</span>}
      </span>
    ),
  },
  { name: 'Channel', width: 'minmax(6rem, .7fr)', cell: (one) => one.channel },
  { name: 'Written', width: 'minmax(8rem, .8fr)', cell: (one) => <When at={one.created} /> },
  {
    name: 'Reached',
    width: 'minmax(8rem, .9fr)',
    cell: (one) => (one.ended ? <When at={one.ended} /> : one.next_try ? <span className="dim">try {one.tries + 1} <Ago at={one.next_try} /></span> : ''),
  },
];

function TestButton({ channel }: { channel: string }) {
  const test = useMutation({ mutationFn: () => got(client.POST('/api/v1/alerts/channels/{channel}/test', { params: { path: { channel } } })) });
  return (
    <>
      <button type="button" onClick={() => test.mutate()} disabled={test.isPending}>
        Send a test message
      </button>
      {test.isSuccess && <span role="status">It was sent.</span>}
      {test.error && <ProblemBox error={test.error} />}
    </>
  );
}

export function AlertsPage() {
  useTitle('Alerts');
  const pages = useInfiniteQuery(alerts());
  const may = useMay('operator');
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  return (
    <>
      <header className="page-head">
        <h1>Alerts</h1>
      </header>
      <Answered of={pages}>
        {({ pages: read }) => {
          const newest = read[0]!;
          return (
            <>
              <section>
                <h2>Wrong now</h2>
                {newest.open.length === 0 ? (
                  <p className="empty">Nothing is wrong.</p>
                ) : (
                  <ul className="lines">
                    {newest.open.map((one) => (
                      <li key={`${one.pipeline} ${one.what}`} className="line">
                        <Badge status={one.what === 'late' ? 'late' : 'failed'} text={one.what} />
                        {one.pipeline ? (
                          <Link href={to.pipeline(one.pipeline)} className="grow">
                            {one.pipeline}
                          </Link>
                        ) : (
                          <span className="grow">the project</span>
                        )}
                        <span className="dim line-facts">
                          since <When at={one.since} />
                          {one.failures > 1 && `, ${count(one.failures, 'time')} in a row`}
                        </span>
                      </li>
                    ))}
                  </ul>
                )}
              </section>
              <section>
                <h2>Channels</h2>
                {newest.channels.length === 0 ? (
                  <p className="empty">Nobody is told: the project has no channel. See `alerts:` in caudal.yaml.</p>
                ) : (
                  <ul className="lines">
                    {newest.channels.map((one) => (
                      <li key={one.channel} className="line">
                        <strong>{one.channel}</strong> <span className="tag">{one.kind}</span>
                        <span className="grow dim">{one.waiting > 0 && `${count(one.waiting, 'message')} not sent yet`}</span>
                        {may && <TestButton channel={one.channel} />}
                      </li>
                    ))}
                  </ul>
                )}
              </section>
              <section>
                <h2>Messages</h2>
                <List
                  label="Messages"
                  columns={COLUMNS}
                  rows={read.flatMap((page) => page.messages)}
                  rowKey={(one) => String(one.id)}
                  total={hasNextPage ? -1 : undefined}
                  onEnd={onEnd}
                  empty="No message was written yet."
                />
              </section>
            </>
          );
        }}
      </Answered>
    </>
  );
}
