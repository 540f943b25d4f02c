/** Timers that code makes, caught before they run: for what happens after a time, without waiting for it. */

export interface CaughtTimer {
  readonly run: () => void;
  readonly ms: number;
}

/** Runs `act`; the timers and intervals that it makes meanwhile are listed in the order of their making, and never run by themselves. */
export function catchTimers(act: () => void): readonly CaughtTimer[] {
  const { setTimeout, setInterval } = globalThis;
  const caught: CaughtTimer[] = [];
  const make = <A extends unknown[]>(run: (...args: A) => void, ms = 0, ...args: A): NodeJS.Timeout => {
    caught.push({ run: () => run(...args), ms });
    return setTimeout(() => undefined, 2 ** 30).unref();
  };
  Object.assign(globalThis, { setTimeout: make, setInterval: make });
  try {
    act();
  } finally {
    Object.assign(globalThis, { setTimeout, setInterval });
  }
  return caught;
}
