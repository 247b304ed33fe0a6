// A table of any length: only the rows in sight are in the document. On a phone each row is a card, and says its columns.
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from 'react';

export type ListColumn<T> = {
  name: string;
  /** A width as CSS grid knows it; `auto` is not one: rows are laid out each by itself. */
  width: string;
  cell: (row: T) => ReactNode;
  align?: 'end';
  /** On a phone: without its name in front, or not at all. */
  phone?: 'bare' | 'none';
};

type Props<T> = {
  label: string;
  columns: ListColumn<T>[];
  rows: T[];
  rowKey: (row: T) => string;
  empty: string;
  /** All rows there are, where `rows` is only the beginning; -1: nobody knows. */
  total?: number;
  onEnd?: () => void;
  tone?: (row: T) => string;
};

export function List<T>({ label, columns, rows, rowKey, empty, total, onEnd, tone }: Props<T>) {
  const top = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);
  useLayoutEffect(() => {
    const measure = () => top.current && setMargin(top.current.getBoundingClientRect().top + window.scrollY);
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(document.body);
    return () => watcher.disconnect();
  }, []);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => 44,
    overscan: 12,
    scrollMargin: margin,
    getItemKey: (index) => rowKey(rows[index]!),
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (onEnd && rows.length > 0 && last >= rows.length - 20) onEnd();
  }, [last, rows.length, onEnd]);

  if (rows.length === 0) return <p className="empty">{empty}</p>;
  const template = { gridTemplateColumns: columns.map((column) => column.width).join(' ') };
  const before = items[0] ? items[0].start - margin : 0;
  const behind = items.length ? virtual.getTotalSize() - (items.at(-1)!.end - margin) : 0;
  return (
    <div className="list" role="table" aria-label={label} aria-rowcount={total === -1 ? -1 : (total ?? rows.length) + 1}>
      <div role="rowgroup" className="list-head">
        <div role="row" className="list-row" style={template} aria-rowindex={1}>
          {columns.map((column) => (
            <div key={column.name} role="columnheader" className={column.align === 'end' ? 'end' : undefined}>
              {column.name}
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" ref={top} style={{ paddingTop: before, paddingBottom: behind }}>
        {items.map((item) => {
          const row = rows[item.index]!;
          return (
            <div
              key={item.key}
              role="row"
              ref={virtual.measureElement}
              data-index={item.index}
              aria-rowindex={item.index + 2}
              className={`list-row ${tone?.(row) ?? ''}`}
              style={template}
            >
              {columns.map((column) => (
                <div
                  key={column.name}
                  role="cell"
                  data-name={column.phone === 'bare' ? undefined : column.name}
                  className={`${column.align === 'end' ? 'end' : ''} ${column.phone === 'none' ? 'not-on-phone' : ''} ${column.phone === 'bare' ? 'bare' : ''}`}
                >
                  {column.cell(row)}
                </div>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}
