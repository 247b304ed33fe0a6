// A dialog in front of the page, as the browser has it: focus stays inside, Escape closes, the rest is out of reach.
import { useEffect, useId, useRef, type ReactNode } from 'react';
import { Icon } from './icons';

type Props = { title: string; onClose: () => void; children: ReactNode; className?: string; bare?: boolean };

export function Modal({ title, onClose, children, className = '', bare = false }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      className={`modal ${className}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      <div className="modal-inside">
        <div className={bare ? 'unseen' : 'modal-head'}>
          <h2 id={id}>{title}</h2>
          {!bare && (
            <button type="button" className="quiet icon-button" onClick={onClose} aria-label="Close">
              <Icon name="cross" />
            </button>
          )}
        </div>
        {children}
      </div>
    </dialog>
  );
}
