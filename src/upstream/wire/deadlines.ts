/**
 * Tells connections that their time is over: one timer for all of them, which runs while there are any. Never early; late by at
 * most a tick, unless the event loop is held up.
 */

export interface Timed {
  /** Milliseconds on the clock; Infinity: never. */
  readonly dueAt: number;
  /** It may be called again as long as `dueAt` has passed. */
  onDue(now: number): void;
}

export interface Deadlines {
  watch(timed: Timed): void;
  forget(timed: Timed): void;
}

const TICK_MS = 100;

/** `now`: milliseconds, monotonic. */
export function createDeadlines(now: () => number): Deadlines {
  const watched = new Set<Timed>();
  let timer: NodeJS.Timeout | null = null;
  let lastTick = 0;

  const tick = (): void => {
    const at = performance.now();
    const wasHeldUp = at - lastTick > 3 * TICK_MS;
    lastTick = at;
    // Timers come before what has arrived: an answer that waits to be read is not late.
    if (wasHeldUp) return;
    const time = now();
    for (const timed of watched) if (timed.dueAt <= time) timed.onDue(time);
  };

  return {
    watch(timed) {
      watched.add(timed);
      if (timer !== null) return;
      lastTick = performance.now();
      timer = setInterval(tick, TICK_MS).unref();
    },
    forget(timed) {
      watched.delete(timed);
      if (watched.size > 0 || timer === null) return;
      clearInterval(timer);
      timer = null;
    },
  };
}
