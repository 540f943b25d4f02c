/** Whether there is a session. The pages stay as they are when it ends, so that nothing typed is lost. */
import { createStore } from './store.ts';

/** `ended`: there was one. `none`: not since the page was opened. */
export type SessionState = 'unknown' | 'open' | 'none' | 'ended';

export const session = createStore<SessionState>('unknown');

export const sessionOpened = (): void => session.set('open');

export function sessionEnded(): void {
  if (session.get() === 'open') session.set('ended');
  else if (session.get() === 'unknown') session.set('none');
}

export const signedOut = (): void => session.set('none');
