/**
 * Decides whether a request to a backend goes now, waits for one under way to end, or is turned away.
 * Both the length of the line and the time in it are bounded, so that a hung backend cannot pile up requests without end.
 */

/** One request in line. Exactly one of the two is called, unless it left by `forget`. */
export interface Waiter {
  start(): void;
  expire(): void;
}

export interface ConcurrencyLimitSettings {
  /** How many may be under way at once. */
  readonly limit: number;
  readonly maxWaiting: number;
  readonly maxWaitMs: number;
}

export interface ConcurrencyLimit {
  /** `go`: the caller is under way and owes a `leave`. `wait`: `start` or `expire` follows. `full`: turned away. */
  enter(waiter: Waiter): 'go' | 'wait' | 'full';
  /** One under way has ended; the next in line starts. */
  leave(): void;
  /** A waiting one gave up. */
  forget(waiter: Waiter): void;
  /** Calls back, once, as soon as nothing is under way or waiting. */
  whenIdle(callback: () => void): void;
}

/** Makes the limit for one backend. First come, first served. */
export function createConcurrencyLimit(settings: ConcurrencyLimitSettings): ConcurrencyLimit {
  const { limit, maxWaiting, maxWaitMs } = settings;
  const deadlines = new Map<Waiter, number>();
  let idleCallbacks: (() => void)[] = [];
  let underWay = 0;
  let timer: NodeJS.Timeout | null = null;

  const expireOverdue = (): void => {
    timer = null;
    const now = performance.now();
    for (const [waiter, deadline] of deadlines) {
      if (deadline > now) break;
      deadlines.delete(waiter);
      waiter.expire();
    }
    watchOldest();
    announceIdle();
  };

  // All wait equally long, so the first in line is always the first to be overdue: one timer serves all.
  const watchOldest = (): void => {
    if (timer !== null) return;
    const oldest = deadlines.values().next();
    if (oldest.done === true) return;
    timer = setTimeout(expireOverdue, Math.max(1, oldest.value - performance.now()));
    timer.unref();
  };

  const announceIdle = (): void => {
    if (underWay > 0 || deadlines.size > 0 || idleCallbacks.length === 0) return;
    const callbacks = idleCallbacks;
    idleCallbacks = [];
    for (const callback of callbacks) callback();
  };

  return {
    enter(waiter) {
      if (underWay < limit) {
        underWay += 1;
        return 'go';
      }
      if (deadlines.size >= maxWaiting) return 'full';
      deadlines.set(waiter, performance.now() + maxWaitMs);
      watchOldest();
      return 'wait';
    },
    leave() {
      const next = deadlines.keys().next();
      if (next.done === true) {
        underWay -= 1;
        announceIdle();
        return;
      }
      const waiter = next.value;
      deadlines.delete(waiter);
      // Not at once: a backend that fails everything would start the whole line inside one call.
      process.nextTick(() => waiter.start());
    },
    forget(waiter) {
      if (deadlines.delete(waiter)) announceIdle();
    },
    whenIdle(callback) {
      idleCallbacks.push(callback);
      announceIdle();
    },
  };
}
