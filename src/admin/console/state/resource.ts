/**
 * Something read from the admin API: loading, there, or failed. What was read stays while it is read anew, and a late old
 * answer never overwrites a newer one.
 */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { Answer, Failure } from '../api/client.ts';
import { returns } from './connection.ts';
import { session } from './session.ts';

export interface Resource<T> {
  readonly value: T | null;
  readonly etag: string | null;
  /** Of the latest attempt. */
  readonly failure: Failure | null;
  readonly reload: () => Promise<void>;
}

type Loaded<T> = Omit<Resource<T>, 'reload'>;

/** `what` names what is read: another name reads from scratch. `everyMs`: read again while the page is looked at. */
export function useResource<T>(what: string, read: () => Promise<Answer<T>>, everyMs?: number): Resource<T> {
  const [loaded, setLoaded] = useState<Loaded<T>>({ value: null, etag: null, failure: null });
  const latest = useRef({ read, attempt: 0 });
  latest.current.read = read;

  const reload = useCallback(async () => {
    const attempt = ++latest.current.attempt;
    const answer = await latest.current.read();
    if (attempt !== latest.current.attempt) return;
    setLoaded((before) => {
      if (!answer.ok) return { ...before, failure: answer.failure };
      const same = before.value === answer.value && before.failure === null;
      return same ? before : { value: answer.value, etag: answer.etag, failure: null };
    });
  }, []);

  useEffect(() => {
    setLoaded({ value: null, etag: null, failure: null });
    void reload();
    const stop = [
      returns.subscribe(() => void reload()),
      session.subscribe((state) => state === 'open' && void reload()),
    ];
    const look = (): void => void (document.hidden ? undefined : reload());
    const timer = everyMs === undefined ? undefined : setInterval(look, everyMs);
    // Whoever comes back to the page sees how it is now.
    if (everyMs !== undefined) document.addEventListener('visibilitychange', look);
    return () => {
      latest.current.attempt++;
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
      for (const unsubscribe of stop) unsubscribe();
    };
  }, [what, everyMs, reload]);

  return { ...loaded, reload };
}
