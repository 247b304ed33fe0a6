// Who I am here, and my password.
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { client, got } from '../api/client';
import { useTitle } from '../parts/address';
import { Field } from '../parts/field';
import { ProblemBox } from '../parts/problem';
import { useSession } from '../parts/session';
import { When } from '../parts/time';
import { NewPassword } from './login';

export function AccountPage() {
  useTitle('Account');
  const session = useSession();
  const [old, setOld] = useState('');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const change = useMutation({
    mutationFn: () => got(client.PUT('/api/v1/session/password', { body: { old, new: password } })),
    onSuccess: () => {
      setOld('');
      setPassword('');
      setAgain('');
    },
  });
  return (
    <>
      <header className="page-head">
        <h1>Account</h1>
      </header>
      <dl className="facts">
        <dt>User</dt>
        <dd>{session?.user}</dd>
        <dt>Role</dt>
        <dd>{session?.role}</dd>
        {session?.expires && (
          <>
            <dt>Logged in until</dt>
            <dd>
              <When at={session.expires} />
            </dd>
          </>
        )}
      </dl>
      <h2>Change the password</h2>
      <form
        className="narrow"
        onSubmit={(event) => {
          event.preventDefault();
          if (password === again) change.mutate();
        }}
      >
        <input type="text" className="unseen" autoComplete="username" value={session?.user ?? ''} readOnly tabIndex={-1} aria-hidden="true" />
        <Field name="Password">
          <input type="password" value={old} onChange={(event) => setOld(event.target.value)} autoComplete="current-password" required />
        </Field>
        <NewPassword
          value={password}
          again={again}
          onChange={(value, repeated) => {
            setPassword(value);
            setAgain(repeated);
          }}
        />
        {change.error && <ProblemBox error={change.error} />}
        {change.isSuccess && <p role="status">It is changed. Other browsers have to log in again.</p>}
        <button type="submit" className="main" disabled={change.isPending || password !== again}>
          Change it
        </button>
      </form>
    </>
  );
}
