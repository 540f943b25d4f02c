/**
 * The latest rejections, in memory and bounded: for the list and the live view of the admin port. Some of each kind are kept, so that
 * a flood of one hides no other. Followers that cannot keep up are let go, so that a slow browser costs nothing. Keeps nothing
 * across a restart.
 */
import type { Mode } from '../keys/key.ts';
import type { Rejection } from './outcome.ts';
import { createRing, type Entry, type Ring } from './rejection-ring.ts';

export const RECENT_REJECTIONS = 1000;
/** So many of each reason, of each key and of report mode are kept besides. */
export const RECENT_OF_A_KIND = 100;
/** Those of all keys together: beyond that, those with many make room first. */
const MAX_OF_KEYS = 20_000;
const MAX_FOLLOWERS = 32;

export interface RejectionFilter {
  readonly key?: string | undefined;
  readonly reason?: string | undefined;
  readonly address?: string | undefined;
  readonly path?: string | undefined;
  /** One of the names that it carried and that were refused or removed. */
  readonly event?: string | undefined;
  readonly requestId?: string | undefined;
  readonly mode?: Mode | undefined;
}

/** Somebody who is told of each rejection as it comes. */
export interface Follower {
  /** Returns false when it can take no more: nothing further is sent to it. */
  readonly send: (rejection: Rejection) => boolean;
  /** Called once, when it is dropped for being too slow. */
  readonly dropped: () => void;
}

export interface RecentRejections {
  readonly add: (rejection: Rejection) => void;
  /** Newest first, `limit` at most. */
  readonly list: (filter?: RejectionFilter, limit?: number) => readonly Rejection[];
  /** Returns how to stop following, or null when there are too many followers already. */
  readonly follow: (follower: Follower) => (() => void) | null;
}

export function createRecentRejections(capacity: number = RECENT_REJECTIONS): RecentRejections {
  const latest = createRing(capacity);
  const reported = createRing(RECENT_OF_A_KIND);
  const byReason = new Map<string, Ring>();
  const ofKeys = createRingsOfKeys();
  const followers = new Set<Follower>();
  let count = 0;
  return {
    add(rejection) {
      const entry = { at: count++, rejection };
      latest.add(entry);
      ringOf(byReason, rejection.reason).add(entry);
      if (rejection.mode === 'report') reported.add(entry);
      // Not for callers without a known key: anybody may be one, and could make such rejections at will.
      if (rejection.keyId !== '') ofKeys.add(entry);
      for (const follower of followers) {
        if (follower.send(rejection)) continue;
        followers.delete(follower);
        follower.dropped();
      }
    },
    list(filter = {}, limit = Infinity) {
      // There may be twenty thousand: numbers alone are sorted, and one that several rings hold is found once.
      const found = new Map<number, Rejection>();
      for (const { entries } of [latest, reported, ...byReason.values(), ...ofKeys.rings()])
        for (const { at, rejection } of entries) if (isWanted(rejection, filter)) found.set(at, rejection);
      const newestFirst = Float64Array.from(found.keys()).sort().toReversed();
      return Array.from(newestFirst.subarray(0, limit), (at) => found.get(at) as Rejection);
    },
    follow(follower) {
      if (followers.size >= MAX_FOLLOWERS) return null;
      followers.add(follower);
      return () => void followers.delete(follower);
    },
  };
}

/** Whether a rejection is one of those that are asked for. */
export function isWanted(
  rejection: Rejection,
  { key, reason, address, path, event, requestId, mode }: RejectionFilter,
): boolean {
  return (
    (key === undefined || rejection.keyId === key) &&
    (reason === undefined || rejection.reason === reason) &&
    (address === undefined || rejection.clientIp === address) &&
    (path === undefined || rejection.path === path) &&
    (event === undefined || (rejection.events ?? []).includes(event)) &&
    (requestId === undefined || rejection.requestId === requestId) &&
    (mode === undefined || rejection.mode === mode)
  );
}

function ringOf(rings: Map<string, Ring>, name: string): Ring {
  let ring = rings.get(name);
  if (ring === undefined) {
    ring = createRing(RECENT_OF_A_KIND);
    rings.set(name, ring);
  }
  return ring;
}

function createRingsOfKeys() {
  const rings = new Map<string, Ring>();
  let kept = 0;

  /** Frees much room at once, since it has to look at all of them. Each key keeps an equal share, which a quiet one never fills. */
  const makeRoom = (): void => {
    const enough = MAX_OF_KEYS * 0.9;
    const share = Math.max(1, Math.floor(enough / rings.size));
    for (const ring of rings.values()) kept -= ring.trim(share);
    if (kept <= enough) return;
    const inOrder = [...rings].sort(([, a], [, b]) => a.lastAt() - b.lastAt());
    for (const [id] of inOrder.slice(0, kept - enough)) rings.delete(id);
    kept = enough;
  };

  return {
    rings: () => rings.values(),
    add(entry: Entry) {
      const ring = ringOf(rings, entry.rejection.keyId);
      if (ring.add(entry) && ++kept > MAX_OF_KEYS) makeRoom();
    },
  };
}
