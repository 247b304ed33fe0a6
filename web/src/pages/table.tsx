// One table: what it holds, where it comes from, how its checks went.
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'wouter';
import { table as tableQuery } from '../api/queries';
import { to, useTitle } from '../parts/address';
import { Copyable } from '../parts/copy';
import { Answered, Cause } from '../parts/problem';
import { Badge } from '../parts/status';
import { Tabs, type Tab } from '../parts/tabs';
import { Ago, When } from '../parts/time';
import { bytes, count, number } from '../parts/words';
import { ChecksWord } from './tables';
import { Checks, Columns, Files, Lineage, Rejects, Tasks, Versions } from './table_parts';

export function TablePage() {
  const { table: name = '' } = useParams<{ table: string }>();
  useTitle(name);
  const answer = useQuery(tableQuery(name));
  return (
    <Answered of={answer}>
      {(one) => {
        const tabs: Tab[] = [
          { id: 'columns', name: 'Columns', content: () => <Columns of={one} /> },
          { id: 'versions', name: 'Versions', content: () => <Versions of={one} /> },
          ...(one.published ? [{ id: 'files', name: 'Files', content: () => <Files of={one} /> }] : []),
          { id: 'checks', name: 'Checks', content: () => <Checks of={one} /> },
          { id: 'rejects', name: one.rejected_rows ? `Rejected rows (${number(one.rejected_rows)})` : 'Rejected rows', content: () => <Rejects of={one} /> },
          { id: 'lineage', name: 'Lineage', content: () => <Lineage of={one} /> },
          { id: 'tasks', name: 'Tasks', content: () => <Tasks of={one} /> },
          ...(one.sql === null ? [] : [{ id: 'sql', name: 'SQL', content: () => <Sql sql={one.sql!} /> }]),
        ];
        return (
          <>
            <header className="page-head">
              <div>
                <p className="crumbs">
                  <Link href="/tables">Tables</Link>
                </p>
                <h1>{one.table}</h1>
                {one.description && <p className="dim">{one.description}</p>}
                <p className="badges">
                  <Badge status={one.last?.status ?? 'never'} /> <ChecksWord checks={one.checks} />
                  <span className="dim">{one.kind}</span>
                  {one.tags.map((tag) => (
                    <span key={tag} className="tag">
                      {tag}
                    </span>
                  ))}
                </p>
              </div>
            </header>
            {one.last?.error && (
              <div className="box box-failed">
                <Cause
                  title={one.published ? 'Its newest task failed; what readers see is the version before' : 'Its newest task failed'}
                  where={one.last.error.where}
                  message={one.last.error.message}
                  next={one.last.error.next}
                />
                <p>
                  <Link href={to.run(one.last.run, one.table)}>Open the run</Link>
                </p>
              </div>
            )}
            <dl className="cards">
              <div>
                <dt>Rows</dt>
                <dd>{one.rows === undefined ? 'none' : number(one.rows)}</dd>
              </div>
              <div>
                <dt>Size</dt>
                <dd>{one.bytes === undefined ? 'none' : bytes(one.bytes)}</dd>
              </div>
              <div>
                <dt>Version</dt>
                <dd>{one.version ?? 'none'}</dd>
              </div>
              <div>
                <dt>Updated</dt>
                <dd>
                  {one.updated ? (
                    <>
                      <When at={one.updated} /> <span className="dim small"><Ago at={one.updated} /></span>
                    </>
                  ) : (
                    'not published'
                  )}
                </dd>
              </div>
              {(one.partition_by ?? []).length > 0 && (
                <div>
                  <dt>Partitions</dt>
                  <dd>
                    {number(one.partitions ?? 0)} <span className="dim small">by {one.partition_by!.join(', ')}</span>
                  </dd>
                </div>
              )}
            </dl>
            <dl className="facts">
              <dt>Owner</dt>
              <dd>{one.owner || 'nobody'}</dd>
              {one.source && (
                <>
                  <dt>Source</dt>
                  <dd>
                    <Link href={to.source(one.source)}>{one.source}</Link>
                  </dd>
                </>
              )}
              {one.upstream.length > 0 && (
                <>
                  <dt>Reads</dt>
                  <dd>
                    <TableLinks names={one.upstream} />
                  </dd>
                </>
              )}
              {one.downstream.length > 0 && (
                <>
                  <dt>Read by</dt>
                  <dd>
                    <TableLinks names={one.downstream} />
                  </dd>
                </>
              )}
              <dt>Built by</dt>
              <dd>
                {one.pipelines.length === 0
                  ? 'no pipeline'
                  : one.pipelines.map((pipeline, i) => (
                      <span key={pipeline}>
                        {i > 0 && ', '}
                        <Link href={to.pipeline(pipeline)}>{pipeline}</Link>
                      </span>
                    ))}
              </dd>
              <dt>Written in</dt>
              <dd className="path">{one.path}</dd>
              {one.formats.length > 0 && (
                <>
                  <dt>Readable as</dt>
                  <dd>{one.formats.map((format) => format.charAt(0).toUpperCase() + format.slice(1)).join(', ')}</dd>
                </>
              )}
              {one.cursor && (
                <>
                  <dt>Cursor</dt>
                  <dd className="path">
                    {one.cursor.length <= 160 ? (
                      one.cursor
                    ) : (
                      <details className="cursor">
                        <summary>{one.cursor.slice(0, 60)} …</summary>
                        {one.cursor}
                      </details>
                    )}
                  </dd>
                </>
              )}
            </dl>
            <Tabs label={`Of ${one.table}, ${count(tabs.length, 'part')}`} tabs={tabs} />
          </>
        );
      }}
    </Answered>
  );
}

function TableLinks({ names }: { names: string[] }) {
  return (
    <>
      {names.map((name, i) => (
        <span key={name}>
          {i > 0 && ', '}
          <Link href={to.table(name)}>{name}</Link>
        </span>
      ))}
    </>
  );
}

function Sql({ sql }: { sql: string }) {
  return (
    <div className="sql">
      <Copyable text={sql} what="the SQL" />
      <pre tabIndex={0} aria-label="SQL as it is written">
        <code>{sql}</code>
      </pre>
    </div>
  );
}
