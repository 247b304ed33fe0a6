// Every pipeline: how it stands, when it ran, when it comes next.
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { pipelines } from '../api/queries';
import type { Pipeline } from '../api/schema';
import { to, useParameter, useTitle } from '../parts/address';
import { Filter, Chips } from '../parts/filter';
import { List, type ListColumn } from '../parts/list';
import { Menu } from '../parts/menu';
import { Answered } from '../parts/problem';
import { useMay } from '../parts/session';
import { Badge } from '../parts/status';
import { Ago, Took, When } from '../parts/time';
import { type AnyStatus } from '../parts/words';
import { PauseDialog, TriggerDialog } from '../dialogs/run_dialogs';

export function pipelineStatus(one: Pick<Pipeline, 'running' | 'last' | 'late_since' | 'paused_since'>): AnyStatus {
  if (one.running) return 'running';
  if (one.last && one.last.status !== 'succeeded') return one.last.status;
  if (one.late_since) return 'late';
  return one.last?.status ?? 'never';
}

export const scheduleText = (one: { schedule: string; after: string[]; time_zone: string }) =>
  [one.schedule && `${one.schedule} (${one.time_zone})`, one.after.length ? `after ${one.after.join(', ')}` : ''].filter(Boolean).join('; ') || 'by hand';

const SHOWN: Record<string, (one: Pipeline) => boolean> = {
  failed: (one) => one.last !== null && ['failed', 'cancelled', 'interrupted'].includes(one.last.status),
  late: (one) => one.late_since !== null,
  running: (one) => one.running !== null,
  paused: (one) => one.paused_since !== null,
};

export function PipelineActions({ pipeline, paused }: { pipeline: string; paused: boolean }) {
  const [open, setOpen] = useState<'run' | 'pause' | null>(null);
  const close = () => setOpen(null);
  return (
    <>
      <Menu
        label={`Actions for ${pipeline}`}
        items={[
          { name: 'Run …', icon: 'play', act: () => setOpen('run') },
          { name: paused ? 'Resume …' : 'Pause …', icon: paused ? 'play' : 'pause', act: () => setOpen('pause') },
        ]}
      />
      {open === 'run' && <TriggerDialog pipeline={pipeline} onClose={close} />}
      {open === 'pause' && <PauseDialog pipeline={pipeline} paused={paused} onClose={close} />}
    </>
  );
}

const COLUMNS: ListColumn<Pipeline>[] = [
  {
    name: 'Pipeline',
    width: 'minmax(10rem, 2.2fr)',
    phone: 'bare',
    cell: (one) => (
      <span className="two-lines">
        <Link href={to.pipeline(one.pipeline)} className="name">
          {one.pipeline}
        </Link>
        {one.description && <span className="dim small cut">{one.description}</span>}
      </span>
    ),
  },
  {
    name: 'State',
    width: '8.5rem',
    cell: (one) => (
      <span className="badges">
        <Badge status={pipelineStatus(one)} />
        {one.late_since && pipelineStatus(one) !== 'late' && <Badge status="late" />}
        {one.paused_since && <Badge status="paused" />}
      </span>
    ),
  },
  {
    name: 'Last run',
    width: 'minmax(8rem, 1fr)',
    cell: (one) =>
      one.last ? (
        <Link href={to.run(one.last.run)}>
          <When at={one.last.started} /> <span className="dim">· <Took from={one.last.started} to={one.last.ended} /></span>
        </Link>
      ) : (
        <span className="dim">never</span>
      ),
  },
  {
    name: 'Next',
    width: 'minmax(8rem, 1fr)',
    cell: (one) =>
      one.next && !one.paused_since ? (
        <span title={scheduleText(one)}>
          <When at={one.next} /> <span className="dim">· <Ago at={one.next} /></span>
        </span>
      ) : (
        <span className="dim">{one.paused_since ? 'paused' : scheduleText(one)}</span>
      ),
  },
  { name: 'Deadline', width: '5.5rem', cell: (one) => one.deadline || <span className="dim">none</span>, phone: 'none' },
  { name: 'Tables', width: '4.5rem', align: 'end', cell: (one) => one.tables, phone: 'none' },
  { name: 'Owner', width: 'minmax(5rem, .8fr)', cell: (one) => one.owner || <span className="dim">nobody</span>, phone: 'none' },
];

const ACTIONS: ListColumn<Pipeline> = {
  name: 'Actions',
  width: '4rem',
  align: 'end',
  phone: 'bare',
  cell: (one) => <PipelineActions pipeline={one.pipeline} paused={one.paused_since !== null} />,
};

export function PipelinesPage() {
  useTitle('Pipelines');
  const answer = useQuery(pipelines());
  const [text] = useParameter('find');
  const [shown] = useParameter('show');
  const may = useMay('operator');
  return (
    <>
      <header className="page-head">
        <h1>Pipelines</h1>
      </header>
      <Answered of={answer}>
        {({ pipelines: all }) => {
          const word = (text ?? '').toLowerCase();
          const found = all
            .filter((one) => (SHOWN[shown ?? ''] ?? (() => true))(one))
            .filter((one) => [one.pipeline, one.description, one.owner, ...one.tags].some((part) => part.toLowerCase().includes(word)));
          return (
            <>
              <div className="filters">
                <Filter label="Find a pipeline" />
                <Chips
                  label="Show"
                  parameter="show"
                  choices={[['', `all ${all.length}`], ...Object.entries(SHOWN).map(([name, is]): [string, string] => [name, `${name} ${all.filter(is).length}`])]}
                />
              </div>
              <List
                label="Pipelines"
                columns={may ? [...COLUMNS, ACTIONS] : COLUMNS}
                rows={found}
                rowKey={(one) => one.pipeline}
                empty={all.length === 0 ? 'The project has no pipeline: a file in pipelines/ makes one.' : 'No pipeline fits.'}
              />
            </>
          );
        }}
      </Answered>
    </>
  );
}
