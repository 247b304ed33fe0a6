// What a run would do, table by table, and why.
import { useQuery } from '@tanstack/react-query';
import { plan } from '../api/queries';
import type { Plan, RunRequest } from '../api/schema';
import { Answered } from '../parts/problem';
import { count } from '../parts/words';

type Item = Plan['items'][number];

function Items({ items }: { items: Item[] }) {
  return (
    <ul className="plan-items">
      {items.map((item) => (
        <li key={item.table}>
          <span className={`plan-action plan-${item.action}`}>{item.action}</span>
          <span className="plan-what">
            <strong>{item.table}</strong>
            <span className="dim">
              {item.reason}
              {item.depends_on_load && '; more, if the loads before it bring something new'}
            </span>
            {item.partitions.length > 0 && (
              <span className="dim small">
                {item.partitions.slice(0, 4).join(', ')}
                {item.partitions.length > 4 && ` and ${item.partitions.length - 4} more`}
              </span>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

export function PlanView({ request }: { request: RunRequest }) {
  const answer = useQuery(plan(request));
  return (
    <section aria-label="What will run" aria-live="polite" className="plan">
      <h3>What will run</h3>
      <Answered of={answer}>
        {({ items }) => {
          const sure = items.filter((item) => item.action !== 'skip');
          const perhaps = items.filter((item) => item.action === 'skip' && item.depends_on_load);
          const not = items.filter((item) => item.action === 'skip' && !item.depends_on_load);
          return (
            <>
              {sure.length === 0 && perhaps.length === 0 && <p>Nothing is new: the run would change no table.</p>}
              {sure.length > 0 && <Items items={sure} />}
              {perhaps.length > 0 && (
                <details open={perhaps.length <= 8}>
                  <summary>{count(perhaps.length, 'table')} only if the loads bring something new</summary>
                  <ul className="plan-items">
                    {perhaps.map((item) => (
                      <li key={item.table}>
                        <span className="plan-action">perhaps</span>
                        <span className="plan-what">
                          <strong>{item.table}</strong>
                        </span>
                      </li>
                    ))}
                  </ul>
                </details>
              )}
              {not.length > 0 && (
                <details>
                  <summary>{count(not.length, 'table')} left as they are</summary>
                  <Items items={not} />
                </details>
              )}
            </>
          );
        }}
      </Answered>
    </section>
  );
}
