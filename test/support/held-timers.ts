/**
 * Timers that a test lets go by hand: `setTimeout` of a second and more waits for that, a shorter one is as ever. So nobody has to
 * wait for what happens after minutes.
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

const LONG_MS = 1000;

interface Held {
  readonly timer: NodeJS.Timeout & { readonly _destroyed?: boolean };
  readonly ms: number;
  readonly act: () => void;
}

/** Until the test ends. */
export function holdTimers(t: Disposer): HeldTimers {
  const real = globalThis.setTimeout as (act: () => void, ms: number, ...args: unknown[]) => NodeJS.Timeout;
  let held: Held[] = [];
  // What was cleared waits no more.
  // oxlint-disable-next-line no-underscore-dangle
  const waiting = () => (held = held.filter(({ timer }) => timer._destroyed !== true));
  const standIn = (act: () => void, ms = 0, ...args: unknown[]): NodeJS.Timeout => {
    if (ms < LONG_MS) return real(act, ms, ...args);
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
