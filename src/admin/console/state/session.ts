/** Whether there is a session, whose it is, and what it may do. The pages stay as they are when it ends, so that nothing typed is lost. */
import type { Session } from '../api/types.ts';
import { createStore } from './store.ts';

/** `ended`: there was one. `none`: not since the page was opened. */
export type SessionState = 'unknown' | 'open' | 'none' | 'ended';

export const session = createStore<SessionState>('unknown');

/** Of the latest session; null before there was one. */
export const user = createStore<Session | null>(null);

export function sessionOpened(by: Session): void {
  user.set(by);
  session.set('open');
}

export function sessionEnded(): void {
  if (session.get() === 'open') session.set('ended');
  else if (session.get() === 'unknown') session.set('none');
}

export const signedOut = (): void => session.set('none');
