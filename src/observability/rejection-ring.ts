/**
 * A bounded list of rejections that forgets the oldest. Adding costs the same however many there are.
 */
import type { Rejection } from './outcome.ts';

export interface Entry {
  /** Its number among all rejections so far. */
  readonly at: number;
  readonly rejection: Rejection;
}

export interface Ring {
  /** Returns whether it became longer; otherwise the oldest went. */
  readonly add: (entry: Entry) => boolean;
  /** Forgets all but the newest so many. Returns how many went. */
  readonly trim: (length: number) => number;
  /** In no order. */
  readonly entries: readonly Entry[];
  /** The number of the newest; -1 for none. */
  readonly lastAt: () => number;
}

export function createRing(capacity: number): Ring {
  const entries: Entry[] = [];
  let next = 0;
  let last = -1;
  return {
    entries,
    lastAt: () => last,
    trim(length) {
      const over = Math.max(0, entries.length - length);
      entries.sort((a, b) => a.at - b.at).splice(0, over);
      next = entries.length % capacity;
      return over;
    },
    add(entry) {
      const grows = next === entries.length;
      entries[next] = entry;
      next = next + 1 === capacity ? 0 : next + 1;
      last = entry.at;
      return grows;
    },
  };
}
