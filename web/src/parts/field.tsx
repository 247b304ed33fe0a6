// A field of a form: its name, what to type, and a hint that is read after the name.
import { cloneElement, useId, type ReactElement, type ReactNode } from 'react';

type Typed = ReactElement<{ id?: string; 'aria-describedby'?: string }>;

export function Field({ name, hint, bad = false, children }: { name: string; hint?: ReactNode; bad?: boolean; children: Typed }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{name}</label>
      {cloneElement(children, { id, ...(hint ? { 'aria-describedby': `${id}-hint` } : {}) })}
      {hint && (
        <span id={`${id}-hint`} className={`hint ${bad ? 'bad' : ''}`}>
          {hint}
        </span>
      )}
    </div>
  );
}
