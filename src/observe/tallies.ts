/**
 * How often something was seen, for a bounded number of things. What was seen in good requests has room of its own: nothing that
 * was refused can take it, and what is known is never pushed out by what comes later.
 */

/** Of one thing. Times are milliseconds since the epoch. */
export interface Tally {
  requests: number;
  /** Of these, the ones that count for a suggestion. */
  good: number;
  firstSeen: number;
  lastSeen: number;
}

/** How many things of one kind are kept of a key and a day. */
export const MOST_VALUES = 256;

/** A longer one is not kept: half of it would be another thing. */
export const MOST_CHARACTERS = 512;

/** Gives room for so many bytes, or says that there is none. */
export type TakeRoom = (bytes: number) => boolean;

/**
 * What a thing costs beside its characters, as measured with Node 20: its record, its place in the map, and the head of its text.
 * The map doubles when it is full, so its place may cost twice what it needs.
 */
const TALLY_BYTES = 224;

/** What an entry of a map costs, in bytes. */
export const costOf = (value: string): number => TALLY_BYTES + 2 * value.length;

export class BoundedTallies {
  /** Seen in a good request at least once. */
  readonly good = new Map<string, Tally>();
  /** Seen in no good request. They have as much room, and what finds none there is not missed. */
  readonly others = new Map<string, Tally>();
  /** How often something in a good request found no room. */
  truncated = 0;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get isFull(): boolean {
    return this.good.size >= this.#most;
  }

  /** Counts one request; false when it was good and there was no room for the value. */
  count(value: string, good: boolean, at: number, takeRoom: TakeRoom): boolean {
    const known = this.good.get(value);
    if (known === undefined)
      return this.#add(value, good, { requests: 1, good: 1, firstSeen: at, lastSeen: at }, takeRoom);
    known.requests++;
    if (good) known.good++;
    if (at > known.lastSeen) known.lastSeen = at;
    return true;
  }

  /** Counts what was counted elsewhere. */
  add(value: string, tally: Tally, takeRoom: TakeRoom): boolean {
    const known = this.good.get(value);
    if (known === undefined) return this.#add(value, tally.good > 0, { ...tally }, takeRoom);
    join(known, tally);
    return true;
  }

  /** Counts as missed what a good request showed and nobody could keep. */
  miss(times: number): void {
    this.truncated += times;
  }

  #add(value: string, good: boolean, tally: Tally, takeRoom: TakeRoom): boolean {
    const other = this.others.get(value);
    if (!good) {
      tally.good = 0;
      if (other !== undefined) join(other, tally);
      else if (fits(value) && this.others.size < this.#most && takeRoom(costOf(value))) this.others.set(value, tally);
      return true;
    }
    if (this.isFull || !fits(value) || (other === undefined && !takeRoom(costOf(value)))) return false;
    if (other !== undefined) {
      this.others.delete(value);
      join(tally, other);
    }
    this.good.set(value, tally);
    return true;
  }
}

/** Adds the second to the first. */
export function join(into: Tally, tally: Tally): void {
  into.requests += tally.requests;
  into.good += tally.good;
  into.firstSeen = Math.min(into.firstSeen, tally.firstSeen);
  into.lastSeen = Math.max(into.lastSeen, tally.lastSeen);
}

/** Counts one in a map whose names are few by nature. */
export function countIn(map: Map<string, Tally>, name: string, at: number): void {
  addTo(map, name, { requests: 1, good: 0, firstSeen: at, lastSeen: at });
}

export function addTo(map: Map<string, Tally>, name: string, tally: Tally): void {
  const known = map.get(name);
  if (known !== undefined) join(known, tally);
  else if (map.size < MOST_VALUES) map.set(name, { ...tally });
}

const fits = (value: string): boolean => value.length <= MOST_CHARACTERS;
