// Today at a glance: what is wrong, what runs, what comes.
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { overview, run as runQuery } from '../api/queries';
import type { Overview, Pipeline, Run } from '../api/schema';
import { to, useTitle } from '../parts/address';
import { Icon, type IconName } from '../parts/icons';
import { Answered, Cause } from '../parts/problem';
import { Badge, CountsBar, Sign } from '../parts/status';
import { Ago, Took, When } from '../parts/time';
import { CAUSE_WORDS, type AnyStatus, count, countsText, number } from '../parts/words';

function Tile({ n, name, tone, href, icon }: { n: number; name: string; tone: AnyStatus; href: string; icon: IconName }) {
  return (
    <a href={href} className={`tile ${n > 0 ? `s-${tone} tile-on` : ''}`}>
      <span className="tile-number">{number(n)}</span>
      <span className="tile-name">
        <Icon name={icon} size={14} /> {name}
      </span>
    </a>
  );
}

/** One sentence that says how the day stands. */
function verdict(day: Overview): { text: string; status: AnyStatus } {
  const wrong = [
    day.broken ? 'the project has a mistake' : '',
    day.failed.length ? `${count(day.failed.length, 'pipeline')} failed` : '',
    day.late.length ? `${count(day.late.length, 'pipeline')} ${day.late.length === 1 ? 'is' : 'are'} late` : '',
  ].filter(Boolean);
  if (wrong.length) return { text: wrong.join(', '), status: 'failed' };
  if (day.running.length) return { text: `Nothing is wrong; ${count(day.running.length, 'pipeline')} ${day.running.length === 1 ? 'is' : 'are'} running`, status: 'running' };
  return { text: 'Nothing is wrong', status: 'succeeded' };
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** A pipeline whose newest run failed, with the first causes. */
function FailedPipeline({ pipeline }: { pipeline: Pipeline }) {
  const last = pipeline.last?.run ?? '';
  const answer = useQuery({ ...runQuery(last), enabled: last !== '' });
  const failed = answer.data?.tasks.filter((task) => task.error && task.status === 'failed') ?? [];
  const waiting = answer.data?.tasks.filter((task) => task.status === 'blocked').length ?? 0;
  return (
    <article className="box box-failed">
      <h3>
        <Sign status={pipeline.last?.status ?? 'failed'} size={16} /> <Link href={to.pipeline(pipeline.pipeline)}>{pipeline.pipeline}</Link>
        <span className="dim">
          {pipeline.last?.status}
          {pipeline.failing_since && (
            <>
              {' '}
              since <When at={pipeline.failing_since} />
            </>
          )}
          {waiting > 0 && `; ${count(waiting, 'table')} wait${waiting === 1 ? 's' : ''} for it`}
        </span>
      </h3>
      {failed.slice(0, 2).map((task) => (
        <Cause key={task.table} title={task.table} where={task.error!.where} message={task.error!.message} next={task.error!.next} />
      ))}
      {last && (
        <p>
          <Link href={to.run(last)} className="go">
            {failed.length > 2 ? `${failed.length - 2} more in its run` : 'Open the run'} <Icon name="right" size={12} />
          </Link>
        </p>
      )}
    </article>
  );
}

function RunLine({ run }: { run: Run }) {
  return (
    <li className="line">
      <Badge status={run.status} />
      <Link href={to.run(run.run)} className="grow">
        {run.pipeline}
      </Link>
      <CountsBar counts={run.counts} />
      <span className="dim line-facts" title={countsText(run.counts)}>
        <When at={run.started} /> · <Took from={run.started} to={run.ended} /> · {CAUSE_WORDS[run.cause]}
      </span>
    </li>
  );
}

export function TodayPage() {
  useTitle('Today');
  const answer = useQuery(overview());
  return (
    <Answered of={answer}>
      {(day) => {
        const { text, status } = verdict(day);
        return (
          <>
            <header className="page-head">
              <div>
                <h1>Today</h1>
                <p className={`verdict s-${status}`}>
                  <Sign status={status} size={18} /> {capital(text)}
                </p>
              </div>
            </header>
            <div className="tiles">
              <Tile n={day.failed.length} name="failed" tone="failed" icon="cross" href="#failed" />
              <Tile n={day.late.length} name="late" tone="late" icon="clock" href="#late" />
              <Tile n={day.running.length} name="running" tone="running" icon="play" href="#running" />
              <Tile n={day.queued.length} name="queued" tone="queued" icon="clock" href="#running" />
              <Tile n={day.paused.length} name="paused" tone="paused" icon="pause" href="#paused" />
              <Tile n={day.messages_waiting} name="unsent alerts" tone="warn" icon="alert" href="/alerts" />
            </div>
            {day.broken && (
              <section className="box box-failed" aria-label="The project has a mistake">
                <Cause
                  title="The project has changed and has a mistake; the last good one goes on"
                  where={day.broken.where}
                  message={day.broken.message}
                  next={day.broken.next}
                />
              </section>
            )}
            {day.failed.length > 0 && (
              <section id="failed">
                <h2>Failed</h2>
                {day.failed.slice(0, 5).map((one) => (
                  <FailedPipeline key={one.pipeline} pipeline={one} />
                ))}
                {day.failed.length > 5 && (
                  <p>
                    <Link href="/pipelines?show=failed">{day.failed.length - 5} more failed</Link>
                  </p>
                )}
              </section>
            )}
            {day.late.length > 0 && (
              <section id="late">
                <h2>Late</h2>
                <ul className="lines">
                  {day.late.map((one) => (
                    <li key={one.pipeline} className="line">
                      <Badge status="late" />
                      <Link href={to.pipeline(one.pipeline)} className="grow">
                        {one.pipeline}
                      </Link>
                      <span className="dim line-facts">
                        {one.late_since && (
                          <>
                            was due <When at={one.late_since} />, <Ago at={one.late_since} />
                          </>
                        )}
                      </span>
                    </li>
                  ))}
                </ul>
              </section>
            )}
            <div className="columns">
              <div>
                {(day.running.length > 0 || day.queued.length > 0) && (
                  <section id="running">
                    <h2>Running</h2>
                    <ul className="lines">
                      {day.running.map((one) => (
                        <RunLine key={one.run} run={one} />
                      ))}
                      {day.queued.map((one) => (
                        <li key={one.run} className="line">
                          <Badge status="queued" />
                          <Link href={to.run(one.run)} className="grow">
                            {one.pipeline}
                          </Link>
                          <span className="dim line-facts">
                            {one.why}; asked by {one.by}, <Ago at={one.asked} />
                          </span>
                        </li>
                      ))}
                    </ul>
                  </section>
                )}
                <section>
                  <h2>
                    Newest runs
                    <Link href="/runs" className="more">
                      all runs
                    </Link>
                  </h2>
                  {day.recent.length === 0 ? (
                    <p className="empty">Nothing has run yet.</p>
                  ) : (
                    <ul className="lines">
                      {day.recent.map((one) => (
                        <RunLine key={one.run} run={one} />
                      ))}
                    </ul>
                  )}
                </section>
              </div>
              <div>
                <section>
                  <h2>Next due</h2>
                  {day.next.length === 0 ? (
                    <p className="empty">No pipeline has a schedule that is on.</p>
                  ) : (
                    <ul className="lines">
                      {day.next.map((one) => (
                        <li key={`${one.pipeline} ${one.at}`} className="line">
                          <Link href={to.pipeline(one.pipeline)} className="grow">
                            {one.pipeline}
                          </Link>
                          <span className="dim">
                            <When at={one.at} />, <Ago at={one.at} />
                          </span>
                        </li>
                      ))}
                    </ul>
                  )}
                </section>
                {day.paused.length > 0 && (
                  <section id="paused">
                    <h2>Paused</h2>
                    <ul className="lines">
                      {day.paused.map((one) => (
                        <li key={one.pipeline} className="line">
                          <Badge status="paused" />
                          <Link href={to.pipeline(one.pipeline)} className="grow">
                            {one.pipeline}
                          </Link>
                          {one.paused_since && (
                            <span className="dim">
                              since <When at={one.paused_since} />
                            </span>
                          )}
                        </li>
                      ))}
                    </ul>
                  </section>
                )}
                <section>
                  <h2>Last 24 hours</h2>
                  {Object.values(day.last_24h).every((n) => n === 0) ? (
                    <p className="empty">No run began.</p>
                  ) : (
                    <ul className="lines">
                      {Object.entries(day.last_24h)
                        .filter(([, n]) => n > 0)
                        .map(([name, n]) => (
                          <li key={name} className="line">
                            <Badge status={name as AnyStatus} />
                            <span className="grow" />
                            <span className="number">{count(n, 'run')}</span>
                          </li>
                        ))}
                    </ul>
                  )}
                </section>
                <section>
                  <h2>Project</h2>
                  <dl className="facts">
                    <dt>Name</dt>
                    <dd>{day.project.name}</dd>
                    {day.project.owner && (
                      <>
                        <dt>Owner</dt>
                        <dd>{day.project.owner}</dd>
                      </>
                    )}
                    <dt>Holds</dt>
                    <dd>
                      {count(day.project.pipelines, 'pipeline')}, {count(day.project.tables, 'table')}, {count(day.project.sources, 'source')}
                    </dd>
                    <dt>Lake</dt>
                    <dd className="path">{day.project.lake}</dd>
                    <dt>Release</dt>
                    <dd className="path" title={day.project.release}>
                      {day.project.release.slice(0, 12)}
                    </dd>
                    <dt>Served</dt>
                    <dd>
                      since <When at={day.served_since} />, Caudal {day.version}
                    </dd>
                  </dl>
                </section>
              </div>
            </div>
          </>
        );
      }}
    </Answered>
  );
}
