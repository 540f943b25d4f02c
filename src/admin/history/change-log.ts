/**
 * The latest changes, newest last, in the memory of this process. One that is kept in Redis besides is shared by all replicas and
 * outlives them. Decides nothing about what is a change.
 */
import { createLruMap } from '../../lib/lru-map.ts';
import type { HistoryChange, Target } from './change.ts';

/** How many changes are kept. */
export const MOST_CHANGES = 1000;

/** A change, and a digest of what there is since. */
export interface Noted {
  readonly change: HistoryChange;
  readonly state: string;
}

export interface ChangeLog {
  /** Takes in what other replicas have noted. Never rejects. */
  readonly sync: () => Promise<void>;
  /**
   * Notes a change. `made`: here, by whoever is named; `seen`: in the source, where another replica may have seen it as well: it is
   * then noted once. Never rejects.
   */
  readonly add: (noted: Noted, how: 'made' | 'seen') => Promise<void>;
  /** How many changes are known by now, also those that are not kept any more. */
  readonly position: () => number;
  /** The position of the latest change that led this one to this state; 0: none is known. */
  readonly led: (target: Target, state: string) => number;
  /** Newest first. */
  readonly list: () => readonly HistoryChange[];
  /** Why the changes of other replicas, and those of before the start, are not there; null: they are, or are kept nowhere. */
  readonly why: () => string | null;
  readonly close: () => void;
}

export const keyOfTarget = ({ kind, name }: Target): string => `${kind}:${name}`;

/** In the order in which they were noted, no more than are kept. */
export function createKept() {
  const kept: HistoryChange[] = [];
  let position = 0;
  const positions = createLruMap<string, number>(2 * MOST_CHANGES);
  const placeOf = (target: Target, state: string): string => `${state} ${keyOfTarget(target)}`;
  return {
    push({ change, state }: Noted): void {
      kept.push(change);
      if (kept.length > MOST_CHANGES) kept.shift();
      position += 1;
      positions.set(placeOf({ kind: change.kind, name: change.target }, state), position);
    },
    position: () => position,
    led: (target: Target, state: string) => positions.get(placeOf(target, state)) ?? 0,
    list: () => kept.toReversed(),
  };
}

/** The log of a process whose keys are in a file. */
export function createMemoryLog(): ChangeLog {
  const kept = createKept();
  return {
    sync: async () => undefined,
    add: async (noted) => kept.push(noted),
    position: kept.position,
    led: kept.led,
    list: kept.list,
    why: () => null,
    close: () => undefined,
  };
}
