// The few pictures of the page, drawn in the colour of the text beside them; never the only sign of anything.
const PATHS = {
  check: 'M3 8.5 6.5 12 13 4.5',
  cross: 'M4 4l8 8M12 4l-8 8',
  play: 'M5 3.5v9l7.5-4.5z',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  clock: 'M8 4.5V8l2.5 1.5M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z',
  dash: 'M3.5 8h9',
  equal: 'M3.5 6h9M3.5 10h9',
  warn: 'M8 2.5 14.5 13.5h-13zM8 6.5v3.5M8 11.9v.1',
  stop: 'M4.5 4.5h7v7h-7z',
  lock: 'M4 7.5h8v6H4zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5',
  bolt: 'M9 1.5 3.5 9H8l-1 5.5L12.5 7H8z',
  search: 'M11 11l3.5 3.5M12 7A5 5 0 1 1 2 7a5 5 0 0 1 10 0z',
  sun: 'M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1M11 8a3 3 0 1 1-6 0 3 3 0 0 1 6 0z',
  moon: 'M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7z',
  menu: 'M2 4h12M2 8h12M2 12h12',
  more: 'M3 8v.01M8 8v.01M13 8v.01',
  right: 'M6 3l5 5-5 5',
  copy: 'M5.5 5.5h8v8h-8zM3 10.5H2.5v-8h8V3',
  retry: 'M13.5 3v3.5H10M13 6.5A5.5 5.5 0 1 0 13.5 9',
  today: 'M2 7.5 8 2.5l6 5V14H2z',
  pipeline: 'M2 3h5v4H2zM9 9h5v4H9zM7 5h2.5a2 2 0 0 1 2 2v2',
  runs: 'M2 13.5v-5M6 13.5v-9M10 13.5v-7M14 13.5v-11',
  table: 'M2 3h12v10H2zM2 6.5h12M6.5 6.5V13',
  graph: 'M2 2.5h4v3H2zM10 6.5h4v3h-4zM2 10.5h4v3H2zM6 4h2v8H6M8 8h2',
  source: 'M2.5 4c0-1 2.5-1.8 5.5-1.8s5.5.8 5.5 1.8-2.5 1.8-5.5 1.8S2.5 5 2.5 4zM2.5 4v8c0 1 2.5 1.8 5.5 1.8s5.5-.8 5.5-1.8V4M2.5 8c0 1 2.5 1.8 5.5 1.8s5.5-.8 5.5-1.8',
  alert: 'M4 7a4 4 0 0 1 8 0c0 3 1.5 4 1.5 4h-11S4 10 4 7zM6.5 13.5h3',
  people: 'M8.5 5A2.5 2.5 0 1 1 3.5 5a2.5 2.5 0 0 1 5 0zM1.5 13.5a4.5 4.5 0 0 1 9 0M10.5 2.700a2.5 2.5 0 0 1 0 4.600M12 9.5a4.5 4.5 0 0 1 2.5 4',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      className={`icon icon-${name}`}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === 'more' ? 2.6 : 1.7}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
