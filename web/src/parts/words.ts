// Numbers and times as people read them.
import type { RunStatus, TaskStatus, Verdict } from '../api/schema';

const whole = new Intl.NumberFormat('en');

export const number = (n: number) => whole.format(n);

export const count = (n: number, noun: string, plural = `${noun}s`) => `${whole.format(n)} ${n === 1 ? noun : plural}`;

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** 1 KB = 1000 B, one decimal below 100, as the command line prints it. */
export function bytes(n: number) {
  let unit = 0;
  while (n >= 1000 && unit < UNITS.length - 1) {
    n /= 1000;
    unit++;
  }
  return `${unit === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${UNITS[unit]}`;
}

/** The two largest units: 412 ms, 3.4 s, 2 min 05 s, 3 h 12 min, 4 d 2 h. */
export function duration(ms: number) {
  if (ms < 0) ms = 0;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 60) return `${s < 9.95 ? s.toFixed(1) : Math.round(s)} s`;
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes} min ${String(Math.floor(s % 60)).padStart(2, '0')} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export const between = (from: string, to: string) => Date.parse(to) - Date.parse(from);

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const clock_s = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const day_year = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const whole_time = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' });

export const localZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
export const longTime = (iso: string) => `${whole_time.format(new Date(iso))} · ${iso.replace('T', ' ').replace('Z', ' UTC')}`;
export const clockTime = (iso: string) => clock_s.format(new Date(iso));

/** 14:05 today, `yesterday 05:00`, `3 Dec 05:00`, `3 Dec 2025 05:00`. */
export function moment(iso: string, now: number, seconds = false) {
  const at = new Date(iso);
  const today = new Date(now);
  const time = (seconds ? clock_s : clock).format(at);
  const midnight = (d: Date) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
  const days = Math.round((midnight(at) - midnight(today)) / 86_400_000);
  if (days === 0) return time;
  if (days === -1) return `yesterday ${time}`;
  if (days === 1) return `tomorrow ${time}`;
  return `${(at.getFullYear() === today.getFullYear() ? day : day_year).format(at)} ${time}`;
}

/** `in 3 h 12 min`, `4 min ago`. */
export function distance(iso: string, now: number) {
  const ms = Date.parse(iso) - now;
  if (Math.abs(ms) < 10_000) return ms < 0 ? 'just now' : 'now';
  const far = Math.abs(ms);
  const text =
    far < 60_000 ? `${Math.floor(far / 1000)} s` : far < 3_600_000 ? `${Math.floor(far / 60_000)} min` : duration(Math.floor(far / 60_000) * 60_000);
  return ms < 0 ? `${text} ago` : `in ${text}`;
}

export type AnyStatus = RunStatus | TaskStatus | Verdict | 'late' | 'paused' | 'never';

export const STATUS_WORDS: Record<AnyStatus, string> = {
  queued: 'queued',
  running: 'running',
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'cancelled',
  interrupted: 'interrupted',
  waiting: 'waiting',
  unchanged: 'unchanged',
  blocked: 'blocked',
  pass: 'passed',
  warn: 'warned',
  fail: 'failed',
  reject: 'rejected rows',
  late: 'late',
  paused: 'paused',
  never: 'never ran',
};

export const CAUSE_WORDS = { hand: 'by hand', api: 'by request', schedule: 'on schedule', after: 'after another pipeline' } as const;

const COUNT_ORDER: TaskStatus[] = ['running', 'failed', 'blocked', 'cancelled', 'succeeded', 'unchanged', 'waiting'];

/** Tasks by status in a fixed order, without those that are none. */
export function counted(counts: Record<string, number>): [TaskStatus, number][] {
  return COUNT_ORDER.flatMap((status): [TaskStatus, number][] => (counts[status] ? [[status, counts[status]]] : []));
}

export const countsText = (counts: Record<string, number>) =>
  counted(counts)
    .map(([status, n]) => `${n} ${STATUS_WORDS[status]}`)
    .join(', ');
