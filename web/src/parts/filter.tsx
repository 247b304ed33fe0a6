// What narrows a list, kept in the address.
import { Icon } from './icons';
import { useParameter } from './address';

export function Filter({ label, parameter = 'find' }: { label: string; parameter?: string }) {
  const [text, setText] = useParameter(parameter);
  return (
    <span className="filter">
      <Icon name="search" size={14} />
      <input type="search" aria-label={label} placeholder={label} value={text ?? ''} onChange={(event) => setText(event.target.value)} spellCheck={false} />
    </span>
  );
}

/** One of a few, [value, word]; the first is what is shown without a choice. */
export function Chips({ label, parameter, choices }: { label: string; parameter: string; choices: [string, string][] }) {
  const [value, setValue] = useParameter(parameter);
  return (
    <div className="chips" role="group" aria-label={label}>
      {choices.map(([id, word]) => (
        <button key={id} type="button" className="chip" aria-pressed={(value ?? '') === id} onClick={() => setValue(id)}>
          {word}
        </button>
      ))}
    </div>
  );
}
