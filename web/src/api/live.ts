// The daemon's server-sent events: what they tell of is read again. While no stream is open, everything in sight is asked
// again every few seconds instead.
import type { QueryClient } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';

export type LiveState = 'connecting' | 'live' | 'polling';

let state: LiveState = 'connecting';
const watchers = new Set<() => void>();

function become(next: LiveState) {
  if (next === state) return;
  state = next;
  watchers.forEach((tell) => tell());
}

export const useLiveState = () =>
  useSyncExternalStore(
    (tell) => {
      watchers.add(tell);
      return () => watchers.delete(tell);
    },
    () => state,
  );

const FIRST_MS = 300;
const APART_MS = 2000;
const POLL_MS = 5000;
// Alerts, schedules and the lake change without an event of a run.
const SLOW_POLL_MS = 60_000;

type Message = { id: string; event: string; data: string };

/** Messages of a text/event-stream, as they come. https://html.spec.whatwg.org/multipage/server-sent-events.html */
async function* messages(body: ReadableStream<Uint8Array>): AsyncGenerator<Message> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
      const message: Message = { id: '', event: 'message', data: '' };
      for (const line of rest.slice(0, end).split('\n')) {
        const colon = line.indexOf(':');
        const text = line.slice(colon + 1).replace(/^ /, '');
        if (colon > 0 && line.startsWith('id')) message.id = text;
        else if (colon > 0 && line.startsWith('event')) message.event = text;
        else if (colon > 0 && line.startsWith('data')) message.data += text;
      }
      rest = rest.slice(end + 2);
      if (message.data || message.event !== 'message') yield message;
    }
  }
}

function readAll(queries: QueryClient) {
  void queries.invalidateQueries({ predicate: (query) => !['session', 'plan', 'setup', 'run pages'].includes(String(query.queryKey[0])) });
}

class LiveStream {
  private x_last = '';
  private x_read = 0;
  private x_runs = new Set<string>();
  private x_timer: ReturnType<typeof setTimeout> | null = null;
  private x_stopped = new AbortController();

  constructor(private readonly queries: QueryClient) {}

  stop() {
    this.x_stopped.abort();
    if (this.x_timer) clearTimeout(this.x_timer);
  }

  async run() {
    for (let wait_ms = 1000; !this.x_stopped.signal.aborted; wait_ms = Math.min(wait_ms * 2, 30_000)) {
      try {
        const headers: Record<string, string> = { Accept: 'text/event-stream' };
        if (this.x_last) headers['Last-Event-ID'] = this.x_last;
        const answer = await fetch('/api/v1/events', { headers, signal: this.x_stopped.signal, credentials: 'same-origin', cache: 'no-store' });
        if (answer.status === 401) void this.queries.invalidateQueries({ queryKey: ['session'] });
        if (answer.ok && answer.body && answer.headers.get('content-type')?.startsWith('text/event-stream')) {
          if (state === 'polling') readAll(this.queries);
          become('live');
          wait_ms = 1000;
          for await (const message of messages(answer.body)) this.take(message);
        }
      } catch {
        // Cut off, or stopped: tried again below.
      }
      if (this.x_stopped.signal.aborted) return;
      become('polling');
      await new Promise((go_on) => setTimeout(go_on, wait_ms));
    }
  }

  private take(message: Message) {
    if (message.id) this.x_last = message.id;
    if (message.event === 'reset') return readAll(this.queries);
    try {
      const told = JSON.parse(message.data) as { run?: string };
      if (told.run) this.x_runs.add(told.run);
    } catch {
      return;
    }
    // A run tells of many tasks at once: one reading for all of them, and not one after the other.
    this.x_timer ??= setTimeout(() => this.read(), Math.max(FIRST_MS, this.x_read + APART_MS - Date.now()));
  }

  private read() {
    this.x_timer = null;
    this.x_read = Date.now();
    for (const noun of ['overview', 'pipelines', 'runs', 'graph', 'tables', 'sources', 'alerts'])
      void this.queries.invalidateQueries({ queryKey: [noun] });
    for (const id of this.x_runs) void this.queries.invalidateQueries({ queryKey: ['run', id] });
    this.x_runs.clear();
  }
}

// A browser gives a host six connections for all its tabs: one that nobody looks at gives its own back.
const HIDDEN_MS = 20_000;

/** Keeps what is shown as new as the daemon knows it, from log-in to log-out. */
export function useLive(queries: QueryClient) {
  useEffect(() => {
    let stream: LiveStream | null = null;
    let leave: ReturnType<typeof setTimeout> | undefined;
    const begin = () => {
      stream = new LiveStream(queries);
      void stream.run();
    };
    const end = () => {
      stream?.stop();
      stream = null;
      become('connecting');
    };
    const look = () => {
      clearTimeout(leave);
      if (document.hidden) leave = setTimeout(end, HIDDEN_MS);
      else if (!stream) {
        begin();
        readAll(queries);
      }
    };
    let quiet_ms = 0;
    const poll = setInterval(() => {
      quiet_ms += POLL_MS;
      if (document.hidden || (state === 'live' && quiet_ms < SLOW_POLL_MS)) return;
      quiet_ms = 0;
      for (const noun of ['overview', 'pipelines', 'runs', 'run', 'graph', 'alerts', ...(state === 'live' ? [] : ['tables', 'sources'])])
        void queries.invalidateQueries({ queryKey: [noun] });
    }, POLL_MS);
    begin();
    document.addEventListener('visibilitychange', look);
    return () => {
      document.removeEventListener('visibilitychange', look);
      clearTimeout(leave);
      clearInterval(poll);
      end();
    };
  }, [queries]);
}
