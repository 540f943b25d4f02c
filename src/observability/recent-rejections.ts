/**
 * The latest rejections, in memory and bounded: for the list and the live view of the admin port. Followers that cannot keep up are
 * let go, so that a slow browser costs nothing. Keeps nothing across a restart.
 */
import type { Rejection } from './outcome.ts';

export const RECENT_REJECTIONS = 1000;
const MAX_FOLLOWERS = 32;

export interface RejectionFilter {
  readonly limit?: number;
  readonly key?: string;
  readonly reason?: string;
}

/** Somebody who is told of each rejection as it comes. */
export interface Follower {
  /** Returns false when it cannot take more: it is then told nothing further. */
  readonly send: (rejection: Rejection) => boolean;
  /** Called once when it was let go for being too slow. */
  readonly dropped: () => void;
}

export interface RecentRejections {
  readonly add: (rejection: Rejection) => void;
  /** Newest first. */
  readonly list: (filter?: RejectionFilter) => readonly Rejection[];
  /** Returns how to stop following, or null when there are too many followers already. */
  readonly follow: (follower: Follower) => (() => void) | null;
}

export function createRecentRejections(capacity: number = RECENT_REJECTIONS): RecentRejections {
  const ring: Rejection[] = [];
  const followers = new Set<Follower>();
  let next = 0;
  return {
    add(rejection) {
      ring[next] = rejection;
      next = (next + 1) % capacity;
      for (const follower of followers) {
        if (follower.send(rejection)) continue;
        followers.delete(follower);
        follower.dropped();
      }
    },
    list({ limit = capacity, key, reason } = {}) {
      const found: Rejection[] = [];
      for (let age = 1; age <= ring.length && found.length < limit; age++) {
        const rejection = ring[(next - age + ring.length) % ring.length] as Rejection;
        if (key !== undefined && rejection.keyId !== key) continue;
        if (reason !== undefined && rejection.reason !== reason) continue;
        found.push(rejection);
      }
      return found;
    },
    follow(follower) {
      if (followers.size >= MAX_FOLLOWERS) return null;
      followers.add(follower);
      return () => void followers.delete(follower);
    },
  };
}
