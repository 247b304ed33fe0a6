// Users and tokens, for admins.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { client, got } from '../api/client';
import { tokens, users } from '../api/queries';
import type { Role, Token, User } from '../api/schema';
import { useTitle } from '../parts/address';
import { Field } from '../parts/field';
import { List, type ListColumn } from '../parts/list';
import { Modal } from '../parts/modal';
import { Answered, Command, ProblemBox } from '../parts/problem';
import { useSession } from '../parts/session';
import { Tabs } from '../parts/tabs';
import { Ago, When } from '../parts/time';
import { NewPassword } from './login';

const ROLES: [Role, string][] = [
  ['viewer', 'viewer: sees everything'],
  ['operator', 'operator: also runs, retries, cancels, pauses'],
  ['developer', 'developer: as an operator'],
  ['admin', 'admin: also users and tokens'],
];

function RoleChoice({ value, onChange }: { value: Role; onChange: (role: Role) => void }) {
  return (
    <Field name="Role">
      <select value={value} onChange={(event) => onChange(event.target.value as Role)}>
        {ROLES.map(([role, words]) => (
          <option key={role} value={role}>
            {words}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** A form in a dialog whose one button does the thing. */
function Ask({ title, button, danger = false, act, noun, onClose, children, ready = true }: { title: string; button: string; danger?: boolean; act: () => Promise<unknown>; noun: string; onClose: () => void; children: ReactNode; ready?: boolean }) {
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: act,
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: [noun] });
      onClose();
    },
  });
  return (
    <Modal title={title} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) change.mutate();
        }}
      >
        {children}
        {change.error && <ProblemBox error={change.error} />}
        <div className="buttons">
          <button type="button" onClick={onClose}>
            Close
          </button>
          <button type="submit" className={`main ${danger ? 'danger' : ''}`} disabled={change.isPending || !ready}>
            {button}
          </button>
        </div>
      </form>
    </Modal>
  );
}

function UserDialog({ user, onClose }: { user: User | null; onClose: () => void }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>(user?.role ?? 'viewer');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [reset, setReset] = useState(user === null);
  const act = () =>
    user
      ? got(client.PATCH('/api/v1/users/{user}', { params: { path: { user: user.user } }, body: { role, ...(reset ? { password } : {}) } }))
      : got(client.POST('/api/v1/users', { body: { user: name, role, password } }));
  return (
    <Ask title={user ? `Change ${user.user}` : 'Add a user'} button={user ? 'Change' : 'Add'} act={act} noun="users" onClose={onClose} ready={!reset || password === again}>
      {user && <p className="dim">Whoever is changed has to log in again.</p>}
      {!user && (
        <Field name="User" hint="Small letters, digits and . _ @ -">
          <input value={name} onChange={(event) => setName(event.target.value)} pattern="[a-z0-9][a-z0-9._@\-]*" maxLength={63} required spellCheck={false} autoCapitalize="none" autoComplete="off" />
        </Field>
      )}
      <RoleChoice value={role} onChange={setRole} />
      {user && (
        <label className="check">
          <input type="checkbox" checked={reset} onChange={(event) => setReset(event.target.checked)} /> Another password too
        </label>
      )}
      {reset && (
        <NewPassword
          value={password}
          again={again}
          onChange={(value, repeated) => {
            setPassword(value);
            setAgain(repeated);
          }}
        />
      )}
    </Ask>
  );
}

function UsersTab() {
  const me = useSession();
  const [open, setOpen] = useState<{ what: 'add' | 'change' | 'remove'; user: User | null } | null>(null);
  const close = () => setOpen(null);
  const columns: ListColumn<User>[] = [
    { name: 'User', width: 'minmax(9rem, 1.5fr)', phone: 'bare', cell: (one) => <strong>{one.user}</strong> },
    { name: 'Role', width: '7rem', cell: (one) => one.role },
    { name: 'Since', width: 'minmax(8rem, 1fr)', cell: (one) => <When at={one.created} /> },
    { name: 'Last login', width: 'minmax(8rem, 1fr)', cell: (one) => (one.last_login ? <Ago at={one.last_login} /> : <span className="dim">never</span>) },
    {
      name: 'Actions',
      width: '12rem',
      align: 'end',
      phone: 'bare',
      cell: (one) => (
        <span className="buttons small-buttons">
          <button type="button" onClick={() => setOpen({ what: 'change', user: one })} aria-label={`Change ${one.user}`}>
            Change …
          </button>
          {one.user !== me?.user && (
            <button type="button" onClick={() => setOpen({ what: 'remove', user: one })} aria-label={`Remove ${one.user}`}>
              Remove …
            </button>
          )}
        </span>
      ),
    },
  ];
  return (
    <>
      <p>
        <button type="button" className="main" onClick={() => setOpen({ what: 'add', user: null })}>
          Add a user …
        </button>
      </p>
      <Answered of={useQuery(users())}>{({ users: all }) => <List label="Users" columns={columns} rows={all} rowKey={(one) => one.user} empty="There is no user." />}</Answered>
      {open && open.what !== 'remove' && <UserDialog user={open.user} onClose={close} />}
      {open?.what === 'remove' && (
        <Ask title={`Remove ${open.user!.user}`} button="Remove" danger noun="users" onClose={close} act={() => got(client.DELETE('/api/v1/users/{user}', { params: { path: { user: open.user!.user } } }))}>
          <p>{open.user!.user} is logged out everywhere and cannot log in again. Tokens that they made stay good until they are revoked.</p>
        </Ask>
      )}
    </>
  );
}

function TokenDialog({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [days, setDays] = useState('90');
  const make = useMutation({
    mutationFn: () => got(client.POST('/api/v1/tokens', { body: { name, role, ...(days === '' ? {} : { days: Number(days) }) } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['tokens'] }),
  });
  return (
    <Modal title={make.data ? `Token ${make.data.name}` : 'Make a token'} onClose={onClose}>
      {make.data ? (
        <>
          <p>Copy it now: it is not shown again.</p>
          <Command line={make.data.token} />
          <p className="dim small">
            A program sends it as <code>Authorization: Bearer …</code>
          </p>
          <div className="buttons">
            <button type="button" className="main" onClick={onClose}>
              Done
            </button>
          </div>
        </>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            make.mutate();
          }}
        >
          <Field name="What for">
            <input value={name} onChange={(event) => setName(event.target.value)} maxLength={100} required autoComplete="off" />
          </Field>
          <RoleChoice value={role} onChange={setRole} />
          <Field name="Good for how many days" hint="Empty: until it is revoked.">
            <input type="number" min={1} max={3650} value={days} onChange={(event) => setDays(event.target.value)} />
          </Field>
          {make.error && <ProblemBox error={make.error} />}
          <div className="buttons">
            <button type="button" onClick={onClose}>
              Close
            </button>
            <button type="submit" className="main" disabled={make.isPending}>
              Make it
            </button>
          </div>
        </form>
      )}
    </Modal>
  );
}

function TokensTab() {
  const [adding, setAdding] = useState(false);
  const [revoked, setRevoked] = useState<Token | null>(null);
  const columns: ListColumn<Token>[] = [
    { name: 'Token', width: 'minmax(9rem, 1.5fr)', phone: 'bare', cell: (one) => <strong>{one.name}</strong> },
    { name: 'Role', width: '7rem', cell: (one) => one.role },
    { name: 'Made', width: 'minmax(9rem, 1fr)', cell: (one) => (<><When at={one.created} /> <span className="dim">by {one.created_by}</span></>) },
    { name: 'Good until', width: 'minmax(8rem, 1fr)', cell: (one) => (one.expires ? <When at={one.expires} /> : <span className="dim">revoked</span>) },
    { name: 'Last used', width: 'minmax(7rem, .8fr)', cell: (one) => (one.last_used ? <Ago at={one.last_used} /> : <span className="dim">never</span>) },
    {
      name: 'Actions',
      width: '7rem',
      align: 'end',
      phone: 'bare',
      cell: (one) => (
        <button type="button" onClick={() => setRevoked(one)} aria-label={`Revoke ${one.name}`}>
          Revoke …
        </button>
      ),
    },
  ];
  return (
    <>
      <p>
        <button type="button" className="main" onClick={() => setAdding(true)}>
          Make a token …
        </button>
      </p>
      <Answered of={useQuery(tokens())}>{({ tokens: all }) => <List label="Tokens" columns={columns} rows={all} rowKey={(one) => one.id} empty="There is no token." />}</Answered>
      {adding && <TokenDialog onClose={() => setAdding(false)} />}
      {revoked && (
        <Ask title={`Revoke ${revoked.name}`} button="Revoke" danger noun="tokens" onClose={() => setRevoked(null)} act={() => got(client.DELETE('/api/v1/tokens/{id}', { params: { path: { id: revoked.id } } }))}>
          <p>Whatever uses it is refused from now on.</p>
        </Ask>
      )}
    </>
  );
}

export function AccessPage() {
  useTitle('Access');
  return (
    <>
      <header className="page-head">
        <h1>Access</h1>
      </header>
      <Tabs
        label="Access"
        tabs={[
          { id: 'users', name: 'Users', content: () => <UsersTab /> },
          { id: 'tokens', name: 'Tokens', content: () => <TokensTab /> },
        ]}
      />
    </>
  );
}
