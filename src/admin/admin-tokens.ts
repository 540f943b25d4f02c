/**
 * The admin tokens that hold now: whose a token is, and whether it still is. Replaced whole when the configuration is read again;
 * whoever follows is told then. Keeps digests alone, and counts no failures.
 */
import { timingSafeEqual } from 'node:crypto';
import { ADMIN_ID, adminTokenDigest, type AdminRole } from '../config/admin-token-schema.ts';
import type { Config } from '../config/schema.ts';
import { sha256Hex } from '../lib/digest.ts';

export interface AdminToken {
  readonly id: string;
  readonly role: AdminRole;
  /** SHA-256 of the token, 64 lower-case hex digits. */
  readonly digest: string;
}

export interface AdminTokens {
  /** Whether there is any: without one the API and the console are off. */
  readonly any: () => boolean;
  /** Whose token this is, or null. Takes the same time for every text. */
  readonly find: (text: string) => AdminToken | null;
  /** Whether the token still has its name, its role and its text. */
  readonly holds: (token: AdminToken) => boolean;
  readonly replace: (admin: Config['admin']) => void;
  /** Called after each replacement. */
  readonly follow: (listener: () => void) => void;
}

export const hasAdmins = ({ token, tokens }: Config['admin']): boolean => token !== null || tokens.length > 0;

export function createAdminTokens(admin: Config['admin']): AdminTokens {
  let tokens = tokensIn(admin);
  const listeners = new Set<() => void>();
  return {
    any: () => tokens.length > 0,
    find(text) {
      const sent = bytesOf(sha256Hex(text));
      // All are compared: how long it takes must not tell which are there.
      const found = tokens.filter(({ digest }) => timingSafeEqual(sent, bytesOf(digest)));
      return found[0] ?? null;
    },
    holds: ({ id, role, digest }) =>
      tokens.some((token) => token.id === id && token.role === role && token.digest === digest),
    replace(next) {
      tokens = tokensIn(next);
      for (const listener of listeners) listener();
    },
    follow: (listener) => void listeners.add(listener),
  };
}

function tokensIn({ token, tokens }: Config['admin']): readonly AdminToken[] {
  const named = tokens.map((entry): AdminToken => ({
    id: entry.id,
    role: entry.role,
    digest: adminTokenDigest(entry),
  }));
  return token === null ? named : [{ id: ADMIN_ID, role: 'editor', digest: sha256Hex(token) }, ...named];
}

const bytesOf = (digest: string): Buffer => Buffer.from(digest, 'hex');
