// The one way to the daemon: typed calls of its OpenAPI document, and its errors as they are told.
import createClient from 'openapi-fetch';
import type { paths, Problem } from './schema';

/** What the daemon answered instead: what happened, where, and what to do next. */
export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail || problem.title);
    this.name = 'ApiError';
  }
  get status() {
    return this.problem.status;
  }
}

let csrf: string | null = null;

/** The word of the session that every change has to carry. */
export function setCsrf(word: string | null) {
  csrf = word;
}

export const client = createClient<paths>({ baseUrl: window.location.origin, credentials: 'same-origin' });

client.use({
  onRequest({ request }) {
    if (request.method !== 'GET' && csrf) request.headers.set('X-CSRF-Token', csrf);
    return request;
  },
  onError() {
    return new ApiError({
      title: 'The daemon does not answer',
      status: 0,
      kind: 'unavailable',
      detail: 'No answer came from the daemon: it is stopped, or the network is down.',
      next: 'Look at its log, or start it with: caudal serve',
    });
  },
});

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'detail' in body && 'title' in body;
}

/** The body of a good answer; throws ApiError for any other. */
export async function got<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (response.ok && data !== undefined) return data;
  if (isProblem(error)) throw new ApiError(error);
  throw new ApiError({
    title: `Answer ${response.status}`,
    status: response.status,
    kind: 'internal',
    detail: `The daemon answered ${response.status} ${response.statusText} without saying why.`,
    next: 'Look at the log of the daemon.',
  });
}
