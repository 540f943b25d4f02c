/**
 * A tally for each name, made when it is first asked for and kept as long as it counts something. Names that count nothing any
 * more are forgotten now and then, so that memory follows what is counted and not what was ever named.
 */

export interface Tallies<T> {
  readonly of: (name: string) => T;
}

export interface TalliesOptions<T> {
  readonly make: (name: string) => T;
  /** Whether it counts nothing: then it may be made anew at any time. */
  readonly isIdle: (tally: T) => boolean;
}

/** Below this many nothing is forgotten: what is kept is small, and most of it is asked for again. */
const SWEEP_ABOVE = 1024;

export function createTallies<T>({ make, isIdle }: TalliesOptions<T>): Tallies<T> {
  const tallies = new Map<string, T>();
  let sweepAt = SWEEP_ABOVE;

  const add = (name: string): T => {
    if (tallies.size >= sweepAt) {
      for (const [idle, tally] of tallies) if (isIdle(tally)) tallies.delete(idle);
      sweepAt = Math.max(SWEEP_ABOVE, tallies.size * 2);
    }
    const made = make(name);
    tallies.set(name, made);
    return made;
  };

  return { of: (name) => tallies.get(name) ?? add(name) };
}
