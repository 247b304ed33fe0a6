// The way in: a password, or the one-time link that the daemon printed at its first start.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent, type ReactNode } from 'react';
import { client, got } from '../api/client';
import { session, setup } from '../api/queries';
import type { Session } from '../api/schema';
import { useTitle } from '../parts/address';
import { Field } from '../parts/field';
import { ProblemBox } from '../parts/problem';

function Front({ title, children }: { title: string; children: ReactNode }) {
  useTitle(title);
  return (
    <main className="front">
      <img src="/icon.svg" alt="" width="44" height="44" />
      <h1>{title}</h1>
      {children}
    </main>
  );
}

function useEnter(call: () => Promise<Session>, then: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: call,
    onSuccess: (entered) => {
      queries.setQueryData(session().queryKey, entered);
      then();
    },
  });
}

export function LoginPage() {
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const nobody = useQuery(setup());
  const enter = useEnter(
    () => got(client.POST('/api/v1/session', { body: { user, password } })),
    () => undefined,
  );
  if (nobody.data?.needed)
    return (
      <Front title="Nobody has an account yet">
        <p>At its first start the daemon prints a link that makes the first account. Open that link.</p>
        <p className="dim">
          It stands in the log of <code>caudal serve</code>, or <code>journalctl -u caudal</code>.
        </p>
      </Front>
    );
  return (
    <Front title="Log in to Caudal">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          enter.mutate();
        }}
      >
        <Field name="User">
          <input value={user} onChange={(event) => setUser(event.target.value)} autoComplete="username" autoFocus required spellCheck={false} autoCapitalize="none" />
        </Field>
        <Field name="Password">
          <input type="password" value={password} onChange={(event) => setPassword(event.target.value)} autoComplete="current-password" required />
        </Field>
        {enter.error && <ProblemBox error={enter.error} />}
        <button type="submit" className="main" disabled={enter.isPending}>
          Log in
        </button>
      </form>
    </Front>
  );
}

/** Two fields that have to agree. */
export function NewPassword({ value, again, onChange }: { value: string; again: string; onChange: (value: string, again: string) => void }) {
  return (
    <>
      <Field name="New password" hint="At least 12 characters.">
        <input type="password" value={value} onChange={(event) => onChange(event.target.value, again)} autoComplete="new-password" minLength={12} maxLength={1024} required />
      </Field>
      <Field name="New password again" hint={again !== '' && again !== value ? 'The two are not the same.' : undefined} bad>
        <input type="password" value={again} onChange={(event) => onChange(value, event.target.value)} autoComplete="new-password" required />
      </Field>
    </>
  );
}

export function SetupPage() {
  const [key] = useState(() => window.location.hash.slice(1));
  const [user, setUser] = useState('admin');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const enter = useEnter(
    () => got(client.POST('/api/v1/setup', { body: { key, user, password } })),
    // The key is used up; it need not stay in the history.
    () => window.location.replace('/'),
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (password === again) enter.mutate();
  };
  return (
    <Front title="The first account">
      {key === '' ? (
        <p>This page is opened by the link that the daemon printed at its first start; its key stands behind the # and is missing here.</p>
      ) : (
        <form onSubmit={submit}>
          <p className="dim">It may do everything, and add others.</p>
          <Field name="User" hint="Small letters, digits and . _ @ -">
            <input value={user} onChange={(event) => setUser(event.target.value)} autoComplete="username" pattern="[a-z0-9][a-z0-9._@\-]*" maxLength={63} required spellCheck={false} autoCapitalize="none" />
          </Field>
          <NewPassword
            value={password}
            again={again}
            onChange={(value, repeated) => {
              setPassword(value);
              setAgain(repeated);
            }}
          />
          {enter.error && <ProblemBox error={enter.error} />}
          <button type="submit" className="main" disabled={enter.isPending || password !== again}>
            Make the account
          </button>
        </form>
      )}
    </Front>
  );
}
