/**
 * Sessions of the console, in memory: opened with the admin token, bounded in number, over after an hour without use or after
 * half a day. Keeps only digests of their ids. Decides nothing about tokens.
 */
import { sha256Hex } from '../lib/digest.ts';

export interface Session {
  /** Names the session in the log, and opens nothing. */
  readonly name: string;
  /** When it ends at the latest, in milliseconds since the epoch. */
  readonly endsAt: number;
}

export interface Sessions {
  /** A new session under an id that nobody could know before. */
  readonly open: () => Session & { readonly id: string };
  /** The session of this id, which now counts as used; null when it is over or never was. */
  readonly use: (id: string) => Session | null;
  /** Whether a session is still open, without counting as use. */
  readonly isOpen: (name: string) => boolean;
  readonly end: (id: string) => void;
}

export interface SessionOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
}

export const SESSION_SECONDS = 12 * 3600;
const IDLE_MS = 3_600_000;
const ID_BYTES = 32;
/** The one used longest ago makes room for another. */
const MAX_SESSIONS = 100;
const NAME_DIGITS = 12;

export function createSessions({ now, random }: SessionOptions): Sessions {
  // In the order of their last use.
  const sessions = new Map<string, Session & { usedAt: number }>();
  const nameOf = (digest: string): string => digest.slice(0, NAME_DIGITS);
  const isOver = ({ endsAt, usedAt }: { readonly endsAt: number; readonly usedAt: number }): boolean =>
    now() >= endsAt || now() - usedAt >= IDLE_MS;

  const use = (id: string): Session | null => {
    const digest = sha256Hex(id);
    const session = sessions.get(digest);
    if (session === undefined) return null;
    sessions.delete(digest);
    if (isOver(session)) return null;
    sessions.set(digest, { ...session, usedAt: now() });
    return session;
  };

  return {
    use,
    open() {
      const id = Buffer.from(random(ID_BYTES)).toString('base64url');
      const digest = sha256Hex(id);
      const [oldest] = sessions.keys();
      if (sessions.size >= MAX_SESSIONS && oldest !== undefined) sessions.delete(oldest);
      const session = { name: nameOf(digest), endsAt: now() + SESSION_SECONDS * 1000, usedAt: now() };
      sessions.set(digest, session);
      return { id, name: session.name, endsAt: session.endsAt };
    },
    isOpen: (name) => [...sessions].some(([digest, session]) => nameOf(digest) === name && !isOver(session)),
    end: (id) => void sessions.delete(sha256Hex(id)),
  };
}
