/**
 * Rate limits counted in this process. Answers at once; forgets a key that was idle for its whole window.
 */
import type { RateLimit } from '../keys/key.ts';
import type { RateStore, RateVerdict } from './rate-store.ts';
import { SlidingLog } from './sliding-log.ts';

/** A store that answers without waiting, and can be asked and told separately. */
export interface MemoryRateStore extends RateStore {
  take(keyId: string, limit: RateLimit, now: number): RateVerdict;
  /** Whether one more request would fit; counts nothing. */
  verdict(keyId: string, limit: RateLimit, now: number): RateVerdict;
  /** Counts a request that was admitted elsewhere. */
  record(keyId: string, limit: RateLimit, now: number): void;
}

/** Below this many keys nothing is swept: what is kept is small. */
const SWEEP_ABOVE = 1024;

interface KeyLog {
  readonly log: SlidingLog;
  windowMs: number;
}

export function createMemoryRateStore(): MemoryRateStore {
  const keys = new Map<string, KeyLog>();
  let sweepAt = SWEEP_ABOVE;

  const logOf = (keyId: string, limit: RateLimit, now: number): SlidingLog => {
    const windowMs = limit.windowSeconds * 1000;
    const known = keys.get(keyId);
    if (known !== undefined) {
      known.windowMs = windowMs;
      return known.log;
    }
    if (keys.size >= sweepAt) {
      for (const [id, { log, windowMs: idleAfter }] of keys) if (log.isIdle(idleAfter, now)) keys.delete(id);
      sweepAt = Math.max(SWEEP_ABOVE, keys.size * 2);
    }
    const log = new SlidingLog();
    keys.set(keyId, { log, windowMs });
    return log;
  };

  return {
    take(keyId, limit, now) {
      const log = logOf(keyId, limit, now);
      const verdict = log.verdict(limit, now);
      if (verdict.allowed) log.record(limit, now);
      return verdict;
    },
    verdict: (keyId, limit, now) => logOf(keyId, limit, now).verdict(limit, now),
    record: (keyId, limit, now) => logOf(keyId, limit, now).record(limit, now),
    shared: () => null,
    close: () => keys.clear(),
  };
}
