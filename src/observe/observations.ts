/**
 * What all callers did, by caller and day, in the memory of this process. Bounded: when there is no room, the oldest day goes first,
 * and when there is only today, what is new is not kept. Counting a request allocates nothing but for what is new.
 */
import { DayCounts, EMPTY_DAY_BYTES, type EventsSeen, type Obstacle, type Seen } from './day-counts.ts';
import type { TakeRoom } from './tallies.ts';
import { readCounts, writeCounts } from './written-counts.ts';

/** Whose requests are counted together: those of a key, or those of an API's callers without a known key. */
export interface Subject {
  readonly kind: 'key' | 'api';
  /** The id of the key, or the name of the API. */
  readonly name: string;
}

/** The number of a day since the epoch, in UTC. */
export const dayOf = (at: number): number => Math.floor(at / DAY_MS);

export const DAY_MS = 86_400_000;

/** In bytes, of all that is kept. */
const MAX_BYTES = 100 * 1024 * 1024;

/** A day that is over is kept as text, which takes a quarter of the room and is ready to be written. */
type Kept = DayCounts | Buffer;

/** A day of a caller. */
export interface ObservedDay {
  readonly subject: Subject;
  /** As `dayOf` gives it. */
  readonly day: number;
  readonly kept: Kept;
}

interface Caller {
  readonly subject: Subject;
  readonly days: Map<number, Kept>;
  /** The day that was counted last, so that the next request finds it at once. */
  liveDay: number;
  live: DayCounts | null;
  /** Good things that found no room, since the start. */
  missed: number;
}

export interface ObservationsOptions {
  /** How many days are kept. */
  readonly days: number;
  readonly maxBytes?: number;
}

export class Observations {
  readonly #byKind = { key: new Map<string, Caller>(), api: new Map<string, Caller>() };
  readonly #days: number;
  readonly #maxBytes: number;
  readonly #bytesByDay = new Map<number, number>();
  #bytes = 0;
  #newest = 0;
  /** Something was counted since this was last set to false. */
  dirty = false;

  constructor({ days, maxBytes = MAX_BYTES }: ObservationsOptions) {
    this.#days = days;
    this.#maxBytes = maxBytes;
  }

  /** What all of it costs, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Counts one request. */
  count(kind: Subject['kind'], name: string, seen: Seen): void {
    const caller = this.#callerOf(kind, name);
    const counts = this.#countsOf(caller, seen.at);
    caller.missed += counts === null ? 1 : counts.count(seen);
  }

  /** Counts the events of a good request that was counted before. */
  countEvents(kind: Subject['kind'], name: string, at: number, events: EventsSeen): void {
    const caller = this.#callerOf(kind, name);
    const counts = this.#countsOf(caller, at);
    caller.missed += counts === null ? 1 : counts.countEvents(events, true, at);
  }

  countObstacle(kind: Subject['kind'], name: string, at: number, obstacle: Obstacle): void {
    this.#countsOf(this.#callerOf(kind, name), at)?.countObstacle(obstacle, at);
  }

  /** Adds what was counted elsewhere. */
  add(subject: Subject, day: number, other: DayCounts): void {
    const caller = this.#callerOf(subject.kind, subject.name);
    const counts = this.#countsOf(caller, day * DAY_MS);
    caller.missed += counts === null ? other.good : counts.add(other);
  }

  /** Good things of which no count could be kept, since the start, by caller. */
  *missed(): Generator<{ readonly subject: Subject; readonly missed: number }> {
    for (const callers of Object.values(this.#byKind))
      for (const { subject, missed } of callers.values()) yield { subject, missed };
  }

  /** Every caller's every day, as it is now. */
  *entries(): Generator<ObservedDay> {
    for (const callers of Object.values(this.#byKind))
      for (const { subject, days } of callers.values()) for (const [day, kept] of days) yield { subject, day, kept };
  }

  /** The counts of a caller's day; null: none are kept. */
  read({ kind, name }: Subject, day: number): DayCounts | null {
    const kept = this.#byKind[kind].get(name)?.days.get(day);
    if (kept === undefined) return null;
    return kept instanceof DayCounts ? kept : thaw(kept, () => true);
  }

  /** Turns days that are over into text, one a step. */
  *freeze(): Generator<void> {
    for (const callers of Object.values(this.#byKind))
      for (const caller of callers.values())
        for (const [day, kept] of caller.days) {
          if (day >= this.#newest || !(kept instanceof DayCounts)) continue;
          const text = packed(kept);
          this.#drop(caller, day);
          this.#take(day, costOfKept(text));
          caller.days.set(day, text);
          yield;
        }
  }

  /** Takes a caller's day out; null: nothing is kept of it. */
  take(subject: Subject, day: number): DayCounts | null {
    const counts = this.read(subject, day);
    if (counts !== null) this.#drop(this.#callerOf(subject.kind, subject.name), day);
    return counts;
  }

  /** Keeps what an earlier process counted, where nothing is kept. `text`: as `packed` makes it. */
  restore({ kind, name }: Subject, day: number, text: Buffer): void {
    if (day > this.#newest) this.#begin(day);
    const caller = this.#callerOf(kind, name);
    if (day <= this.#newest - this.#days || caller.days.has(day) || !this.#take(day, costOfKept(text))) return;
    caller.days.set(day, text);
  }

  /** Good things of a caller found no room where they are kept. */
  miss({ kind, name }: Subject, times: number): void {
    this.#callerOf(kind, name).missed += times;
  }

  #callerOf(kind: Subject['kind'], name: string): Caller {
    const known = this.#byKind[kind].get(name);
    if (known !== undefined) return known;
    const caller: Caller = { subject: { kind, name }, days: new Map(), liveDay: -1, live: null, missed: 0 };
    this.#byKind[kind].set(name, caller);
    return caller;
  }

  /** The counts of the day of `at`; null when it is too long ago, or there is no room for one more. */
  #countsOf(caller: Caller, at: number): DayCounts | null {
    this.dirty = true;
    const day = dayOf(at);
    if (caller.liveDay === day) return caller.live;
    if (day > this.#newest) this.#begin(day);
    if (day <= this.#newest - this.#days) return null;
    const kept = caller.days.get(day);
    let counts: DayCounts | null;
    if (kept instanceof DayCounts) counts = kept;
    else {
      if (kept !== undefined) this.#drop(caller, day);
      const takeRoom: TakeRoom = (bytes) => this.#take(day, bytes);
      counts = kept === undefined ? new DayCounts(takeRoom) : thaw(kept, takeRoom);
      if (counts === null || !this.#take(day, EMPTY_DAY_BYTES)) return null;
      caller.days.set(day, counts);
    }
    caller.liveDay = day;
    caller.live = counts;
    return counts;
  }

  /** A new day begins: those that are too old end. */
  #begin(day: number): void {
    this.#newest = day;
    for (const old of this.#bytesByDay.keys()) if (old <= day - this.#days) this.#dropDay(old);
  }

  #take(day: number, bytes: number): boolean {
    if (bytes > 0 && !this.#makeRoom(day, bytes)) return false;
    this.#bytes += bytes;
    this.#bytesByDay.set(day, (this.#bytesByDay.get(day) ?? 0) + bytes);
    return true;
  }

  /** The oldest day goes, as long as it is not the one that needs the room. */
  #makeRoom(day: number, bytes: number): boolean {
    while (this.#bytes + bytes > this.#maxBytes) {
      const oldest = Math.min(...this.#bytesByDay.keys());
      if (oldest >= day) return false;
      this.#dropDay(oldest);
    }
    return true;
  }

  #dropDay(day: number): void {
    for (const callers of Object.values(this.#byKind)) for (const caller of callers.values()) this.#drop(caller, day);
    this.#bytes -= this.#bytesByDay.get(day) ?? 0;
    this.#bytesByDay.delete(day);
  }

  #drop(caller: Caller, day: number): void {
    const kept = caller.days.get(day);
    if (kept === undefined) return;
    caller.days.delete(day);
    if (caller.liveDay === day) {
      caller.liveDay = -1;
      caller.live = null;
    }
    this.#take(day, -costOfKept(kept));
  }
}

/** Of a text beside its bytes. */
const TEXT_BYTES = 256;

const costOfKept = (kept: Kept): number => (kept instanceof DayCounts ? kept.bytes : kept.length + TEXT_BYTES);

/** Counts as text, in a quarter of the room. */
export const packed = (counts: DayCounts): Buffer => Buffer.from(JSON.stringify(writeCounts(counts)));

const thaw = (text: Buffer, takeRoom: TakeRoom): DayCounts | null =>
  readCounts(JSON.parse(text.toString()) as unknown, takeRoom);
