/**
 * When the last requests of one key were admitted, and whether one more fits: a sliding log, so no window boundary admits
 * twice the limit. Large limits share log entries, which errs towards refusing and keeps a log at about a thousand entries.
 */
import type { RateLimit } from '../keys/key.ts';
import type { RateVerdict } from './rate-store.ts';

/** Up to this many requests a window each has an entry of its own; above, the window is cut into as many slots. */
const MAX_ENTRIES = 1000;

/** A clock that went back by more than this was set; by less, requests were merely counted out of order. */
export const CLOCK_SET_MS = 5000;

/** The width in milliseconds to which admission times are rounded up: requests in one slot share an entry. */
export const slotMs = (limit: RateLimit): number =>
  limit.requests <= MAX_ENTRIES ? 1 : Math.ceil((limit.windowSeconds * 1000) / MAX_ENTRIES);

/** An admission that leaves room for `remaining` more; the next of those counted leaves the window in `ms` milliseconds. */
export const admitted = (remaining: number, ms: number): RateVerdict => ({
  allowed: true,
  remaining,
  resetSeconds: wholeSeconds(ms),
});

/** A refusal for `ms` milliseconds, rounded up to whole seconds. */
export const refusedFor = (ms: number): RateVerdict => ({
  allowed: false,
  retryAfterSeconds: wholeSeconds(ms),
});

const wholeSeconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000));

export class SlidingLog {
  /** Admission times, ascending, and how many requests each stands for; entries before `#head` have left the window. */
  #times: number[] = [];
  #counts: number[] = [];
  #head = 0;
  #total = 0;

  /** Whether one more request would fit at `now`, and what would be left then; counts nothing. */
  verdict(limit: RateLimit, now: number): RateVerdict {
    this.#forget(limit.windowSeconds * 1000, now);
    if (this.#total < limit.requests) {
      const oldest = this.#times[this.#head] ?? now;
      return admitted(limit.requests - this.#total - 1, oldest + limit.windowSeconds * 1000 - now);
    }
    return refusedFor(this.#waitMs(limit, now));
  }

  /** Counts one request as admitted at `now`. */
  record(limit: RateLimit, now: number): void {
    const slot = slotMs(limit);
    const newest = this.#times.length - 1;
    const time = Math.max(Math.ceil(now / slot) * slot, this.#times[newest] ?? 0);
    if (this.#times[newest] === time) this.#counts[newest] = (this.#counts[newest] as number) + 1;
    else {
      this.#times.push(time);
      this.#counts.push(1);
    }
    this.#total += 1;
  }

  /** Whether nothing in the log could refuse a request at `now` under a limit of this window. */
  isIdle(windowMs: number, now: number): boolean {
    const newest = this.#times.at(-1);
    return newest === undefined || newest + windowMs <= now;
  }

  #forget(windowMs: number, now: number): void {
    const newest = this.#times.at(-1);
    if (newest !== undefined && newest > now + windowMs / MAX_ENTRIES + CLOCK_SET_MS) this.#moveTo(now);
    while (this.#head < this.#times.length && (this.#times[this.#head] as number) + windowMs <= now) {
      this.#total -= this.#counts[this.#head] as number;
      this.#head += 1;
    }
    if (this.#head > 32 && this.#head * 2 > this.#times.length) {
      this.#times = this.#times.slice(this.#head);
      this.#counts = this.#counts.slice(this.#head);
      this.#head = 0;
    }
  }

  /** The clock was set back: what was admitted counts as admitted now, so that nothing is refilled or locked for long. */
  #moveTo(now: number): void {
    this.#times = this.#total > 0 ? [now] : [];
    this.#counts = this.#total > 0 ? [this.#total] : [];
    this.#head = 0;
  }

  /** Milliseconds until enough entries leave the window; more than one must when the limit was lowered. */
  #waitMs(limit: RateLimit, now: number): number {
    const windowMs = limit.windowSeconds * 1000;
    let left = this.#total;
    for (let i = this.#head; i < this.#times.length; i += 1) {
      left -= this.#counts[i] as number;
      if (left < limit.requests) return (this.#times[i] as number) + windowMs - now;
    }
    return windowMs;
  }
}
