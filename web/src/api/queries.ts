// What can be read, by name. The first word of a key is the noun that live.ts knows it by.
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { client, got } from './client';
import type { RunRequest, RunStatus } from './schema';

export const session = () =>
  queryOptions({
    queryKey: ['session'],
    queryFn: ({ signal }) => got(client.GET('/api/v1/session', { signal })),
    staleTime: Infinity,
  });

export const setup = () =>
  queryOptions({ queryKey: ['setup'], queryFn: ({ signal }) => got(client.GET('/api/v1/setup', { signal })) });

export const overview = () =>
  queryOptions({ queryKey: ['overview'], queryFn: ({ signal }) => got(client.GET('/api/v1/overview', { signal })) });

export const pipelines = () =>
  queryOptions({ queryKey: ['pipelines'], queryFn: ({ signal }) => got(client.GET('/api/v1/pipelines', { signal })) });

export const pipeline = (name: string) =>
  queryOptions({
    queryKey: ['pipelines', name],
    queryFn: ({ signal }) => got(client.GET('/api/v1/pipelines/{pipeline}', { signal, params: { path: { pipeline: name } } })),
  });

export const matrix = (name: string, runs: number) =>
  queryOptions({
    queryKey: ['pipelines', name, 'matrix', runs],
    queryFn: ({ signal }) =>
      got(client.GET('/api/v1/pipelines/{pipeline}/matrix', { signal, params: { path: { pipeline: name }, query: { runs } } })),
    placeholderData: keepPreviousData,
  });

export type RunFilter = { pipeline?: string; status?: Exclude<RunStatus, 'queued'> };

/** The newest runs: what changes. */
export const newestRuns = (filter: RunFilter) =>
  queryOptions({
    queryKey: ['runs', filter],
    queryFn: ({ signal }) => got(client.GET('/api/v1/runs', { signal, params: { query: { ...filter, limit: 100 } } })),
  });

/** All runs, page after page as somebody scrolls. Never read again as a whole: newestRuns tells what is new. */
export const runPages = (filter: RunFilter) =>
  infiniteQueryOptions({
    queryKey: ['run pages', filter],
    queryFn: ({ signal, pageParam }) =>
      got(client.GET('/api/v1/runs', { signal, params: { query: { ...filter, limit: 200, ...(pageParam ? { cursor: pageParam } : {}) } } })),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
    staleTime: Infinity,
    gcTime: 0,
  });

export const run = (id: string) =>
  queryOptions({
    queryKey: ['run', id],
    queryFn: ({ signal }) => got(client.GET('/api/v1/runs/{run}', { signal, params: { path: { run: id } } })),
    // Rows and memory of what runs now are told only on asking.
    refetchInterval: ({ state }) => (state.data && isOpen(state.data.status) ? 1000 : false),
  });

export const isOpen = (status: RunStatus) => status === 'running' || status === 'queued';

export const plan = (request: RunRequest) =>
  queryOptions({
    queryKey: ['plan', request],
    queryFn: ({ signal }) => got(client.POST('/api/v1/plan', { signal, body: request })),
    staleTime: 0,
    retry: false,
  });

export const graph = (name?: string) =>
  queryOptions({
    queryKey: ['graph', name ?? ''],
    queryFn: ({ signal }) => got(client.GET('/api/v1/graph', { signal, params: { query: name ? { pipeline: name } : {} } })),
  });

export const tables = () =>
  queryOptions({ queryKey: ['tables'], queryFn: ({ signal }) => got(client.GET('/api/v1/tables', { signal })) });

export const table = (name: string) =>
  queryOptions({
    queryKey: ['tables', name],
    queryFn: ({ signal }) => got(client.GET('/api/v1/tables/{table}', { signal, params: { path: { table: name } } })),
  });

export const versions = (name: string) =>
  infiniteQueryOptions({
    queryKey: ['tables', name, 'versions'],
    queryFn: ({ signal, pageParam }) =>
      got(
        client.GET('/api/v1/tables/{table}/versions', {
          signal,
          params: { path: { table: name }, query: { limit: 100, ...(pageParam === null ? {} : { before: pageParam }) } },
        }),
      ),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next,
  });

export const partitions = (name: string) =>
  queryOptions({
    queryKey: ['tables', name, 'partitions'],
    queryFn: ({ signal }) =>
      got(client.GET('/api/v1/tables/{table}/partitions', { signal, params: { path: { table: name }, query: { limit: 5000 } } })),
  });

export const tableChecks = (name: string) =>
  queryOptions({
    queryKey: ['tables', name, 'checks'],
    queryFn: ({ signal }) =>
      got(client.GET('/api/v1/tables/{table}/checks', { signal, params: { path: { table: name }, query: { limit: 2000 } } })),
  });

export const tableTasks = (name: string) =>
  queryOptions({
    queryKey: ['tables', name, 'tasks'],
    queryFn: ({ signal }) =>
      got(client.GET('/api/v1/tables/{table}/tasks', { signal, params: { path: { table: name }, query: { limit: 200 } } })),
  });

export const lineage = (name: string) =>
  queryOptions({
    queryKey: ['tables', name, 'lineage'],
    queryFn: ({ signal }) => got(client.GET('/api/v1/tables/{table}/lineage', { signal, params: { path: { table: name } } })),
  });

export const sources = () =>
  queryOptions({ queryKey: ['sources'], queryFn: ({ signal }) => got(client.GET('/api/v1/sources', { signal })) });

export const alerts = () =>
  infiniteQueryOptions({
    queryKey: ['alerts'],
    queryFn: ({ signal, pageParam }) =>
      got(client.GET('/api/v1/alerts', { signal, params: { query: { limit: 100, ...(pageParam === null ? {} : { before: pageParam }) } } })),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next,
  });

export const users = () => queryOptions({ queryKey: ['users'], queryFn: ({ signal }) => got(client.GET('/api/v1/users', { signal })) });

export const tokens = () => queryOptions({ queryKey: ['tokens'], queryFn: ({ signal }) => got(client.GET('/api/v1/tokens', { signal })) });
