// How a status looks: a colour, a sign and its word, so that none of them has to be known alone.
import { Icon, type IconName } from './icons';
import { type AnyStatus, STATUS_WORDS, counted, countsText } from './words';

const SIGNS: Record<AnyStatus, IconName> = {
  queued: 'clock',
  running: 'play',
  succeeded: 'check',
  failed: 'cross',
  cancelled: 'stop',
  interrupted: 'bolt',
  waiting: 'clock',
  unchanged: 'equal',
  blocked: 'lock',
  pass: 'check',
  warn: 'warn',
  fail: 'cross',
  reject: 'warn',
  late: 'clock',
  paused: 'pause',
  never: 'dash',
};

export function Sign({ status, size = 14 }: { status: AnyStatus; size?: number }) {
  return (
    <span className={`sign s-${status}`}>
      <Icon name={SIGNS[status]} size={size} />
    </span>
  );
}

export function Badge({ status, text }: { status: AnyStatus; text?: string }) {
  return (
    <span className={`badge s-${status}`}>
      <Icon name={SIGNS[status]} size={12} />
      {text ?? STATUS_WORDS[status]}
    </span>
  );
}

/** Tasks by status as one bar. */
export function CountsBar({ counts }: { counts: Record<string, number> }) {
  const parts = counted(counts);
  if (parts.length === 0) return null;
  return (
    <span className="counts" role="img" aria-label={`Tasks: ${countsText(counts)}`} title={countsText(counts)}>
      {parts.map(([status, n]) => (
        <span key={status} className={`fill s-${status}`} style={{ flexGrow: n }} />
      ))}
    </span>
  );
}
