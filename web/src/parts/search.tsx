// Everything that has a name, found by `/`.
import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { useLocation } from 'wouter';
import { newestRuns, pipelines, sources, tables } from '../api/queries';
import { to } from './address';
import { Icon, type IconName } from './icons';
import { Modal } from './modal';

type Hit = { kind: string; icon: IconName; name: string; more: string; href: string };

const SHOWN = 30;

/** All words somewhere in it; names that begin with the first word come first. */
function find(hits: Hit[], text: string) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return hits.slice(0, SHOWN);
  const rank = (hit: Hit) => {
    const name = hit.name.toLowerCase();
    if (name === words[0]) return 0;
    if (name.startsWith(words[0]!)) return 1;
    return name.includes(words[0]!) ? 2 : 3;
  };
  return hits
    .filter((hit) => words.every((word) => `${hit.name} ${hit.more} ${hit.kind}`.toLowerCase().includes(word)))
    .map((hit, at) => ({ hit, at, rank: rank(hit) }))
    .sort((a, b) => a.rank - b.rank || a.at - b.at)
    .slice(0, SHOWN)
    .map(({ hit }) => hit);
}

export function Search({ pages, onClose }: { pages: Hit[]; onClose: () => void }) {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const [, go] = useLocation();
  const id = useId();
  const chosen = useRef<HTMLLIElement>(null);
  const known = { pipelines: useQuery(pipelines()), tables: useQuery(tables()), sources: useQuery(sources()), runs: useQuery(newestRuns({})) };
  const hits = useMemo(
    (): Hit[] => [
      ...pages,
      ...(known.pipelines.data?.pipelines ?? []).map((one): Hit => ({ kind: 'pipeline', icon: 'pipeline', name: one.pipeline, more: [one.description, one.owner, ...one.tags].filter(Boolean).join(' · '), href: to.pipeline(one.pipeline) })),
      ...(known.tables.data?.tables ?? []).map((one): Hit => ({ kind: 'table', icon: 'table', name: one.table, more: [one.description, one.owner, ...one.tags].filter(Boolean).join(' · '), href: to.table(one.table) })),
      ...(known.sources.data?.sources ?? []).map((one): Hit => ({ kind: 'source', icon: 'source', name: one.source, more: one.description, href: to.source(one.source) })),
      ...(known.runs.data?.runs ?? []).map((one): Hit => ({ kind: 'run', icon: 'runs', name: one.run, more: `${one.pipeline} · ${one.status}`, href: to.run(one.run) })),
    ],
    [pages, known.pipelines.data, known.tables.data, known.sources.data, known.runs.data],
  );
  const wanted = useDeferredValue(text);
  const found = useMemo(() => find(hits, wanted), [hits, wanted]);
  const active = Math.min(at, found.length - 1);
  useEffect(() => {
    // Newer browsers answer with a promise, which is nothing to clean up with.
    void chosen.current?.scrollIntoView({ block: 'nearest' });
  }, [active]);

  const open = (hit: Hit | undefined) => {
    if (!hit) return;
    onClose();
    go(hit.href);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setAt(Math.min(found.length - 1, active + 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(0, active - 1));
    else if (event.key === 'Enter') open(found[active]);
    else return;
    event.preventDefault();
  };
  return (
    <Modal title="Search" onClose={onClose} className="search" bare>
      <div className="search-line">
        <Icon name="search" />
        <input
          role="combobox"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={found.length ? `${id}-${active}` : undefined}
          aria-label="Search pipelines, tables, sources, runs"
          placeholder="Pipeline, table, source, run"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKey}
          autoFocus
          spellCheck={false}
          autoComplete="off"
        />
      </div>
      <ul role="listbox" id={`${id}-list`} aria-label="Found" className="search-list">
        {found.map((hit, index) => (
          <li
            key={`${hit.kind} ${hit.name}`}
            id={`${id}-${index}`}
            ref={index === active ? chosen : undefined}
            role="option"
            aria-selected={index === active}
            onClick={() => open(hit)}
            onMouseMove={() => setAt(index)}
          >
            <Icon name={hit.icon} size={14} />
            <span className="search-name">{hit.name}</span>
            <span className="dim small cut">{hit.more}</span>
            <span className="tag">{hit.kind}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && (
        <p className="empty" role="status">
          Nothing has that name.
        </p>
      )}
    </Modal>
  );
}
