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

  const tellDue = (): void => {
    const time = now();
    for (const timed of watched) if (timed.dueAt <= time) timed.onDue(time);
  };
  // Timers come before what has arrived, also while the loop was held up: an answer that waits to be read is not late.
  const tick = (): void => void setImmediate(tellDue);

  return {
    watch(timed) {
      watched.add(timed);
      timer ??= setInterval(tick, TICK_MS).unref();
    },
    forget(timed) {
      watched.delete(timed);
      if (watched.size > 0 || timer === null) return;
      clearInterval(timer);
      timer = null;
    },
  };
}
