import { createContext, useContext, useEffect, useState, type ReactNode } from 'react';
import { between, distance, duration, longTime, moment } from './words';

const Now = createContext(Date.now());

/** One clock for the whole page: a tick a second while it is looked at. */
export function Clock({ children }: { children: ReactNode }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => document.hidden || setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return <Now.Provider value={now}>{children}</Now.Provider>;
}

export const useNow = () => useContext(Now);

export function When({ at, seconds = false }: { at: string; seconds?: boolean }) {
  return (
    <time dateTime={at} title={longTime(at)}>
      {moment(at, useNow(), seconds)}
    </time>
  );
}

export function Ago({ at }: { at: string }) {
  return (
    <time dateTime={at} title={longTime(at)}>
      {distance(at, useNow())}
    </time>
  );
}

/** How long it took, or takes so far. */
export function Took({ from, to }: { from: string; to: string | null }) {
  const now = useNow();
  return <>{duration(to ? between(from, to) : now - Date.parse(from))}</>;
}
