// A number over time as bars, with its words for those who do not see it. Newest at the right.
export type HistoryBar = { key: string; value: number; tone: string; words: string };

export function HistoryBars({ label, bars }: { label: string; bars: HistoryBar[] }) {
  const most = Math.max(1, ...bars.map((bar) => bar.value));
  return (
    <ol className="bars" aria-label={label} tabIndex={0}>
      {bars.map((bar) => (
        <li key={bar.key} title={bar.words}>
          <span className="unseen">{bar.words}</span>
          <span className={`fill s-${bar.tone}`} style={{ height: `${Math.max(bar.value > 0 ? 3 : 1, (100 * bar.value) / most)}%` }} />
        </li>
      ))}
    </ol>
  );
}
