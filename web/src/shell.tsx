// What stands around every page: where one can go, search, who one is.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { useLive, useLiveState } from './api/live';
import { client, got } from './api/client';
import { overview, session } from './api/queries';
import { Icon, type IconName } from './parts/icons';
import { Menu } from './parts/menu';
import { Modal } from './parts/modal';
import { Search } from './parts/search';
import { useMay, useSession } from './parts/session';
import { useTheme } from './parts/theme';
import { localZone } from './parts/words';

type Place = { name: string; href: string; icon: IconName };

const PLACES: Place[] = [
  { name: 'Today', href: '/', icon: 'today' },
  { name: 'Pipelines', href: '/pipelines', icon: 'pipeline' },
  { name: 'Runs', href: '/runs', icon: 'runs' },
  { name: 'Graph', href: '/graph', icon: 'graph' },
  { name: 'Tables', href: '/tables', icon: 'table' },
  { name: 'Sources', href: '/sources', icon: 'source' },
  { name: 'Alerts', href: '/alerts', icon: 'alert' },
];

const LIVE_WORDS = { connecting: 'connecting', live: 'live', polling: 'every 5 s' };

function Nav({ places, onGo }: { places: Place[]; onGo?: () => void }) {
  const [path] = useLocation();
  const day = useQuery(overview());
  const wrong = day.data ? day.data.failed.length + day.data.late.length + (day.data.broken ? 1 : 0) : 0;
  return (
    <nav aria-label="Pages">
      <ul className="nav">
        {places.map(({ name, href, icon }) => {
          const here = href === '/' ? path === '/' : path === href || path.startsWith(`${href}/`);
          return (
            <li key={href}>
              <Link href={href} aria-current={here ? 'page' : undefined} onClick={onGo}>
                <Icon name={icon} /> {name}
                {href === '/' && wrong > 0 && (
                  <span className="nav-count" aria-label={`${wrong} wrong`}>
                    {wrong}
                  </span>
                )}
              </Link>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}

function Foot() {
  const [theme, turn] = useTheme();
  const me = useSession();
  const [, go] = useLocation();
  const queries = useQueryClient();
  const live = useLiveState();
  const leave = useMutation({
    mutationFn: () => got(client.DELETE('/api/v1/session')),
    onSettled: () => {
      queries.clear();
      void queries.invalidateQueries({ queryKey: session().queryKey });
      window.location.assign('/');
    },
  });
  return (
    <div className="foot">
      <span className={`live live-${live}`} title={live === 'live' ? 'The page is told what changes' : 'The page asks every five seconds'}>
        <span className="live-dot" aria-hidden="true" /> {LIVE_WORDS[live]}
      </span>
      <button type="button" className="quiet" onClick={turn} aria-label={`Colours: ${theme}. Change.`} title={`Colours: ${theme}`}>
        <Icon name={theme === 'dark' ? 'moon' : 'sun'} size={14} /> {theme}
      </button>
      {me && (
        <Menu
          label={`Account of ${me.user}`}
          items={[
            { name: 'Account', icon: 'people', act: () => go('/account') },
            { name: 'Log out', icon: 'lock', act: () => leave.mutate() },
          ]}
        >
          <Icon name="people" size={14} /> {me.user}
        </Menu>
      )}
      <span className="zone">Times in {localZone()}</span>
    </div>
  );
}

function typing(target: EventTarget | null) {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));
}

export function Shell({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  useLive(queries);
  const [searching, setSearching] = useState(false);
  const [menu, setMenu] = useState(false);
  const [path] = useLocation();
  const main = useRef<HTMLElement>(null);
  const admin = useMay('admin');
  const places = useMemo((): Place[] => (admin ? [...PLACES, { name: 'Access', href: '/access', icon: 'people' }] : PLACES), [admin]);
  const pages = useMemo(() => places.map(({ name, href, icon }) => ({ kind: 'page', name, icon, href, more: '' })), [places]);

  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector('dialog[open]')) return;
      event.preventDefault();
      setSearching(true);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);

  // A new page begins at its top, and is read from there.
  const first = useRef(true);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [path]);

  return (
    <div className="shell">
      <a href="#main" className="skip">
        To the content
      </a>
      <header className="top">
        <button type="button" className="quiet icon-button only-phone" aria-label="Pages" onClick={() => setMenu(true)}>
          <Icon name="menu" />
        </button>
        <Link href="/" className="brand">
          <img src="/icon.svg" alt="" width="24" height="24" /> Caudal
        </Link>
        <button type="button" className="search-button" onClick={() => setSearching(true)} aria-keyshortcuts="/">
          <Icon name="search" size={14} /> <span className="search-word">Search</span> <kbd>/</kbd>
        </button>
        <div className="side">
          <Nav places={places} />
          <Foot />
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
      {searching && <Search pages={pages} onClose={() => setSearching(false)} />}
      {menu && (
        <Modal title="Pages" onClose={() => setMenu(false)} className="drawer">
          <Nav places={places} onGo={() => setMenu(false)} />
          <Foot />
        </Modal>
      )}
    </div>
  );
}
