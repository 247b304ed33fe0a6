// Where things are: every link of the page is made here. A name is one part of the path, whatever is in it.
import { useCallback, useEffect } from 'react';
import { useLocation, useSearch } from 'wouter';

const part = encodeURIComponent;

export const to = {
  pipeline: (name: string) => `/pipelines/${part(name)}`,
  run: (id: string, task?: string) => `/runs/${part(id)}${task ? `?task=${part(task)}` : ''}`,
  runs: (filter: { pipeline?: string; status?: string }) => {
    const words = new URLSearchParams(filter).toString();
    return words ? `/runs?${words}` : '/runs';
  },
  table: (name: string, tab?: string) => `/tables/${part(name)}${tab ? `?tab=${tab}` : ''}`,
  source: (name: string) => `/sources?source=${part(name)}`,
};

/** One word behind the `?`. Setting it takes the place of the old one in the history. */
export function useParameter(name: string): [string | null, (value: string | null) => void] {
  const search = useSearch();
  const [path, go] = useLocation();
  const set = useCallback(
    (value: string | null) => {
      const words = new URLSearchParams(window.location.search);
      if (value === null || value === '') words.delete(name);
      else words.set(name, value);
      const text = words.toString();
      go(text ? `${path}?${text}` : path, { replace: true });
    },
    [go, name, path],
  );
  return [new URLSearchParams(search).get(name), set];
}

export function useTitle(title: string) {
  useEffect(() => {
    document.title = `${title} · Caudal`;
  }, [title]);
}
