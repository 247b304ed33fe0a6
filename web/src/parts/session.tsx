import { createContext, useContext } from 'react';
import type { Role, Session } from '../api/schema';

export const SessionContext = createContext<Session | null>(null);

export const useSession = () => useContext(SessionContext);

const RANK: Record<Role, number> = { viewer: 0, operator: 1, developer: 2, admin: 3 };

/** True where this person may do what that role may. */
export function useMay(role: Role) {
  const session = useSession();
  return session !== null && RANK[session.role] >= RANK[role];
}
