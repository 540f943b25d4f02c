/**
 * Where observations are kept beyond this process, and how they are read back. A store that fails costs observations and nothing
 * else: none of these functions throws or is waited for by a request.
 */
import { DayCounts } from './day-counts.ts';
import { DAY_MS, type Subject } from './observations.ts';

export interface ObservationStore {
  /** What a caller did from a day on (`dayOf`), joined over days and processes. */
  readonly read: (subject: Subject, since: number) => Promise<DayCounts>;
  /** Writes what was counted, as soon as that may be. Resolves when it is written, or could not be. */
  readonly flush: () => Promise<void>;
  /** Whether what is counted is shared with other processes now; null: it never is. */
  readonly shared: () => boolean | null;
  /** Writes what is left, and closes. */
  readonly close: () => Promise<void>;
}

/** Told when a store begins and ceases to fail; `why` is fit for logs. */
export type OnFallback = (active: boolean, why: string) => void;

/** For what is read over many days: bounded by what is kept of each. */
export const unboundedCounts = (): DayCounts => new DayCounts(() => true, Number.POSITIVE_INFINITY);

/** Work in a later turn gives way after this time, in milliseconds. */
const SLICE_MS = 10;

/** Takes the steps of a long work, with a pause for others whenever it took too long. */
export async function inSlices<T>(steps: Iterable<T>, step: (item: T) => void): Promise<void> {
  let began = performance.now();
  for (const item of steps) {
    step(item);
    if (performance.now() - began < SLICE_MS) continue;
    await new Promise((resolve) => setImmediate(resolve));
    began = performance.now();
  }
}

/** A day as it is written: `2026-11-29`. */
export const dateOf = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

/** The numbers from the first to the last. */
export function* daysFrom(first: number, last: number): Generator<number> {
  for (let day = first; day <= last; day++) yield day;
}

/**
 * Does something again and again, the first time `afterMs` from the start, and never twice at once. A pending one keeps no process
 * alive.
 */
export function repeat(afterMs: number, run: () => Promise<void>): { readonly stop: () => void } {
  let timer: NodeJS.Timeout;
  let stopped = false;
  const again = (): void => {
    timer = setTimeout(() => void run().finally(() => stopped || again()), afterMs).unref();
  };
  again();
  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
