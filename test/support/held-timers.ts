/**
 * Timers that a test lets go by hand, so that nobody has to wait for what happens after minutes. `setTimeout` with other delays is as
 * ever: a rest that grows with what a busy machine takes would otherwise wait for a hand, too.
 */

interface Disposer {
  readonly teardown: (dispose: () => unknown) => void;
}

export interface HeldTimers {
  /** The delays of those that wait, in milliseconds. */
  readonly delays: () => readonly number[];
  /** Whether one of them would keep the process alive. */
  readonly keepAlive: () => boolean;
  /** Lets them go, as if their time had come. */
  readonly letGo: () => void;
}

interface Held {
  readonly timer: NodeJS.Timeout & { readonly _destroyed?: boolean };
  readonly ms: number;
  readonly act: () => void;
}

/** Holds those with exactly these delays, in milliseconds, until the test ends. */
export function holdTimers(t: Disposer, delays: readonly number[]): HeldTimers {
  const real = globalThis.setTimeout as (act: () => void, ms: number, ...args: unknown[]) => NodeJS.Timeout;
  let held: Held[] = [];
  // What was cleared waits no more.
  // oxlint-disable-next-line no-underscore-dangle
  const waiting = () => (held = held.filter(({ timer }) => timer._destroyed !== true));
  const standIn = (act: () => void, ms = 0, ...args: unknown[]): NodeJS.Timeout => {
    if (!delays.includes(ms)) return real(act, ms, ...args);
    const timer = real(act, 2 ** 31 - 1);
    held.push({ timer, ms, act });
    return timer;
  };
  globalThis.setTimeout = standIn as typeof setTimeout;
  t.teardown(() => {
    globalThis.setTimeout = real as typeof setTimeout;
    for (const { timer } of held) clearTimeout(timer);
  });
  return {
    delays: () => waiting().map(({ ms }) => ms),
    keepAlive: () => waiting().some(({ timer }) => timer.hasRef()),
    letGo() {
      const due = waiting();
      held = [];
      for (const { timer, act } of due) {
        clearTimeout(timer);
        act();
      }
    },
  };
}
