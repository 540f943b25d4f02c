/**
 * Sessions of the console, in memory: opened with an admin token, bounded in number, over after an hour without use or after
 * half a day. Keeps only digests of their ids. Decides nothing about tokens.
 */
import { sha256Hex } from '../lib/digest.ts';
import type { AdminToken } from './admin-tokens.ts';

export interface Session {
  /** Names the session in the log, and opens nothing. */
  readonly name: string;
  /** When it ends at the latest, in milliseconds since the epoch. */
  readonly endsAt: number;
  /** The token that it was opened with. */
  readonly token: AdminToken;
}

export interface Sessions {
  /** A new session under an id that nobody could know before. */
  readonly open: (token: AdminToken) => Session & { readonly id: string };
  /** The session of this id, which now counts as used; null when it is over or never was. */
  readonly use: (id: string) => Session | null;
  /** Whether a session is still open, without counting as use. */
  readonly isOpen: (name: string) => boolean;
  readonly end: (id: string) => void;
  /** Ends those whose token is not among these any more. */
  readonly endWithout: (holds: (token: AdminToken) => boolean) => void;
}

interface Kept {
  readonly session: Session;
  readonly usedAt: number;
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
  const sessions = new Map<string, Kept>();
  const nameOf = (digest: string): string => digest.slice(0, NAME_DIGITS);
  const isOver = ({ session, usedAt }: Kept): boolean => now() >= session.endsAt || now() - usedAt >= IDLE_MS;

  const use = (id: string): Session | null => {
    const digest = sha256Hex(id);
    const kept = sessions.get(digest);
    if (kept === undefined) return null;
    sessions.delete(digest);
    if (isOver(kept)) return null;
    sessions.set(digest, { session: kept.session, usedAt: now() });
    return kept.session;
  };

  return {
    use,
    open(token) {
      const id = Buffer.from(random(ID_BYTES)).toString('base64url');
      const digest = sha256Hex(id);
      const [oldest] = sessions.keys();
      if (sessions.size >= MAX_SESSIONS && oldest !== undefined) sessions.delete(oldest);
      const session: Session = { name: nameOf(digest), endsAt: now() + SESSION_SECONDS * 1000, token };
      sessions.set(digest, { session, usedAt: now() });
      return { id, ...session };
    },
    isOpen: (name) => [...sessions.values()].some((kept) => kept.session.name === name && !isOver(kept)),
    end: (id) => void sessions.delete(sha256Hex(id)),
    endWithout(holds) {
      for (const [digest, { session }] of sessions) if (!holds(session.token)) sessions.delete(digest);
    },
  };
}
