/**
 * Slows guessing: an address that failed too often within a minute is turned away until that minute is over. Counts by exact
 * address, in bounded memory, and knows nothing of what failed.
 */
import { createLruMap } from '../lib/lru-map.ts';

export interface FailureLimiter {
  /** Whole seconds until the address may try again; 0: now. `now` in milliseconds. */
  readonly secondsToWait: (address: string, now: number) => number;
  readonly fail: (address: string, now: number) => void;
}

const MAX_FAILURES = 10;
const WINDOW_MS = 60_000;
/** Whoever fails from more addresses than this pushes the oldest out, and gains nothing that the new address did not give. */
const MAX_ADDRESSES = 10_000;

export function createFailureLimiter(): FailureLimiter {
  // The times of the latest failures, oldest first: any window of a minute holds at most so many, whenever it begins.
  const failures = createLruMap<string, readonly number[]>(MAX_ADDRESSES);
  return {
    secondsToWait(address, now) {
      const times = failures.get(address);
      if (times === undefined || times.length < MAX_FAILURES) return 0;
      const seconds = Math.ceil(((times[0] as number) + WINDOW_MS - now) / 1000);
      // A clock that was set back must not lock anybody out for as long as it was wrong.
      return seconds > WINDOW_MS / 1000 ? 0 : Math.max(0, seconds);
    },
    fail(address, now) {
      failures.set(address, [...(failures.get(address) ?? []), now].slice(-MAX_FAILURES));
    },
  };
}
