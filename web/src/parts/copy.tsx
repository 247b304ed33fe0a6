import { useState } from 'react';
import { Icon } from './icons';

export function Copyable({ text, what }: { text: string; what: string }) {
  const [done, setDone] = useState(false);
  // Browsers give the clipboard only to pages of https and of this machine.
  if (!navigator.clipboard) return null;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setDone(true);
      setTimeout(() => setDone(false), 1500);
    } catch {
      setDone(false);
    }
  };
  return (
    <button type="button" className="quiet icon-button" onClick={() => void copy()} aria-label={done ? 'Copied' : `Copy ${what}`} title={`Copy ${what}`}>
      <Icon name={done ? 'check' : 'copy'} />
    </button>
  );
}
