// Every table of the project: what it holds and how its checks went.
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { tables } from '../api/queries';
import type { LastVerdict, Table } from '../api/schema';
import { to, useParameter, useTitle } from '../parts/address';
import { Chips, Filter } from '../parts/filter';
import { List, type ListColumn } from '../parts/list';
import { Answered } from '../parts/problem';
import { Badge } from '../parts/status';
import { When } from '../parts/time';
import { bytes, count, number } from '../parts/words';

export function ChecksWord({ checks }: { checks: LastVerdict[] }) {
  if (checks.length === 0) return <span className="dim">none</span>;
  const of = (verdict: string) => checks.filter((check) => check.verdict === verdict).length;
  const failed = of('fail');
  const rejected = of('reject');
  const warned = of('warn');
  return (
    <span className="badges">
      {failed > 0 && <Badge status="fail" text={`${failed} failed`} />}
      {rejected > 0 && <Badge status="reject" text={`${rejected} rejected rows`} />}
      {warned > 0 && <Badge status="warn" text={`${warned} warned`} />}
      {failed + rejected + warned === 0 && <Badge status="pass" text={`${checks.length} passed`} />}
    </span>
  );
}

const COLUMNS: ListColumn<Table>[] = [
  {
    name: 'Table',
    width: 'minmax(9rem, 2fr)',
    phone: 'bare',
    cell: (one) => (
      <span className="two-lines">
        <Link href={to.table(one.table)} className="name">
          {one.table}
        </Link>
        {one.description && <span className="dim small cut">{one.description}</span>}
      </span>
    ),
  },
  { name: 'Kind', width: '5.2rem', cell: (one) => <span className="dim">{one.kind}</span>, phone: 'none' },
  { name: 'Newest task', width: '7.5rem', cell: (one) => (one.unreadable ? <Badge status="failed" text="unreadable" /> : <Badge status={one.last?.status ?? 'never'} />) },
  { name: 'Checks', width: 'minmax(6.5rem, 1fr)', cell: (one) => <ChecksWord checks={one.checks} /> },
  { name: 'Rows', width: '5.5rem', align: 'end', cell: (one) => (one.rows === undefined ? '' : number(one.rows)) },
  { name: 'Size', width: '4.8rem', align: 'end', cell: (one) => (one.bytes === undefined ? '' : bytes(one.bytes)), phone: 'none' },
  { name: 'Version', width: '4rem', align: 'end', cell: (one) => one.version ?? '', phone: 'none' },
  { name: 'Updated', width: 'minmax(6.5rem, .9fr)', cell: (one) => (one.updated ? <When at={one.updated} /> : <span className="dim">not published</span>) },
];

export function TablesPage() {
  useTitle('Tables');
  const answer = useQuery(tables());
  const [text] = useParameter('find');
  const [layer] = useParameter('layer');
  return (
    <>
      <header className="page-head">
        <h1>Tables</h1>
      </header>
      <Answered of={answer}>
        {({ tables: all }) => {
          const word = (text ?? '').toLowerCase();
          const layers = [...new Set(all.map((one) => one.layer))].sort();
          const found = all
            .filter((one) => !layer || one.layer === layer)
            .filter((one) => [one.table, one.description, one.owner, ...one.tags].some((part) => part.toLowerCase().includes(word)));
          const size = found.reduce((sum, one) => sum + (one.bytes ?? 0), 0);
          return (
            <>
              <div className="filters">
                <Filter label="Find a table" />
                {layers.length <= 12 && <Chips label="Layer" parameter="layer" choices={[['', 'all'], ...layers.map((name): [string, string] => [name, name])]} />}
              </div>
              <List label="Tables" columns={COLUMNS} rows={found} rowKey={(one) => one.table} empty={all.length === 0 ? 'The project has no table.' : 'No table fits.'} />
              {found.length > 0 && (
                <p className="dim small list-foot">
                  {count(found.length, 'table')}, {bytes(size)}
                </p>
              )}
            </>
          );
        }}
      </Answered>
    </>
  );
}
