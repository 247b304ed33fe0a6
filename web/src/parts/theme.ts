// Light, dark, or as the system has it.
import { useState } from 'react';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'caudal-theme';

function read(): Theme {
  const kept = localStorage.getItem(KEY);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

function apply(theme: Theme) {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export const startTheme = () => apply(read());

const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };

export function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState(read);
  const turn = () => {
    const next = NEXT[theme];
    if (next === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
    apply(next);
    setTheme(next);
  };
  return [theme, turn];
}
