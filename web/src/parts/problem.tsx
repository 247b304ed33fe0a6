// What went wrong, where, and what to do next: of an answer of the API, of a task, of the project.
import { Component, type ReactNode } from 'react';
import { ApiError } from '../api/client';
import { Copyable } from './copy';

type Told = { message: string; next?: string; where?: string; title?: string };

export function Cause({ message, next, where, title, children }: Told & { children?: ReactNode }) {
  return (
    <div className="cause">
      {title && <p className="cause-title">{title}</p>}
      {where && <p className="cause-where">{where}</p>}
      <p className="cause-message">{message}</p>
      {next && (
        <p className="cause-next">
          <strong>Next:</strong> {next}
        </p>
      )}
      {children}
    </div>
  );
}

export function told(error: unknown): Told {
  if (error instanceof ApiError) {
    const { detail, next, where, title } = error.problem;
    return { message: detail || title, next, where };
  }
  return { message: error instanceof Error ? error.message : String(error), next: 'Load the page again; if it stays, look at the log of the daemon.' };
}

export function ProblemBox({ error, again }: { error: unknown; again?: () => void }) {
  const { message, next, where } = told(error);
  return (
    <div className="box box-failed" role="alert">
      <Cause message={message} next={next} where={where} />
      {again && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

type Answer<T> = { data: T | undefined; error: unknown; isPending: boolean; refetch: () => unknown };

/** The part of a page that waits for one answer: nothing, the answer, or why there is none. What was there stays, with a word
 *  that it is no longer new. */
export function Answered<T>({ of, children }: { of: Answer<T>; children: (data: T) => ReactNode }) {
  if (of.data !== undefined)
    return (
      <>
        {of.error ? <ProblemBox error={of.error} again={() => void of.refetch()} /> : null}
        {children(of.data)}
      </>
    );
  if (of.error) return <ProblemBox error={of.error} again={() => void of.refetch()} />;
  return (
    <p className="loading" role="status">
      Loading …
    </p>
  );
}

/** A line to type, with a button that copies it. */
export function Command({ line }: { line: string }) {
  return (
    <div className="command">
      <code>{line}</code>
      <Copyable text={line} what="the command" />
    </div>
  );
}

/** A page that breaks says so, and leaves the rest alone. Given another `key`, it begins anew. */
export class Guard extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: null as unknown };
  static getDerivedStateFromError(error: unknown) {
    return { error };
  }
  override render() {
    if (this.state.error === null) return this.props.children;
    return <ProblemBox error={this.state.error} again={() => this.setState({ error: null })} />;
  }
}
