/**
 * Questions about a snapshot of keys: what holds before the first reading, and whether a key can be used. Changes nothing.
 */
import { NO_RECORDS } from './definition.ts';
import type { Key, KeySnapshot } from './key.ts';

/** No keys at all: what a process has before its first reading. */
export const EMPTY_SNAPSHOT: KeySnapshot = {
  version: 0,
  byId: new Map(),
  bySecret: new Map(),
  invalid: [],
  lists: new Map(),
  records: NO_RECORDS,
};

export type KeyState = 'active' | 'disabled' | 'expired';

/** Whether the key can be used at `now` (milliseconds); a key whose every secret has expired cannot. */
export function keyState(key: Key, now: number): KeyState {
  if (!key.enabled) return 'disabled';
  const over = ({ expiresAt }: { readonly expiresAt: number | null }): boolean =>
    expiresAt !== null && expiresAt <= now;
  return over(key) || key.secrets.every(over) ? 'expired' : 'active';
}

/** When the key, or the last of its secrets, ends, in milliseconds since the epoch; Infinity: never. */
export const endOf = ({ expiresAt, secrets }: Key): number =>
  Math.min(expiresAt ?? Infinity, Math.max(...secrets.map((secret) => secret.expiresAt ?? Infinity)));
