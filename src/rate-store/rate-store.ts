/**
 * Counting for rate limits: whether one more request of a key fits its limit. A store counts; the caller decides what a
 * refusal means (report mode counts as well). State belongs to the key's id and outlives reloads, so a reload refills nothing.
 */
import type { RateLimit } from '../keys/key.ts';

export type RateVerdict =
  | ({ readonly allowed: true } & Quota)
  /** Whole seconds, at least 1, after which one request fits again (RFC 9110 10.2.3). */
  | { readonly allowed: false; readonly retryAfterSeconds: number };

/** What is left of a key's limit. */
export interface Quota {
  /** How many more requests fit now. */
  readonly remaining: number;
  /** Whole seconds, at least 1, after which more fit. */
  readonly resetSeconds: number;
}

/** The limits of all keys, as requests meet them: counted when they are asked, however long ago a request arrived. */
export interface RateLimits extends Pick<RateStore, 'shared' | 'close'> {
  readonly take: (keyId: string, limit: RateLimit) => RateVerdict | Promise<RateVerdict>;
}

export interface RateStore {
  /**
   * Counts one request if it fits and says whether it did: in no window of `limit.windowSeconds`, wherever it begins, do
   * more than `limit.requests` fit. A refused request is not counted. `now` is in milliseconds since the epoch.
   * Never rejects: a store that cannot reach its server limits by itself.
   */
  take(keyId: string, limit: RateLimit, now: number): RateVerdict | Promise<RateVerdict>;
  /** Whether the count is shared with other processes now; null: it never is. */
  shared(): boolean | null;
  close(): void;
}
