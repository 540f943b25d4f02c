/**
 * What one caller did on one day, counted: from where, which routes, events and origins, how often at most, and what was not let
 * through. Bounded in every kind. Holds nothing of a body, a query or a header but the names counted here.
 */
import { rangeOf, type AddressValue } from './address-value.ts';
import { Peaks } from './peaks.ts';
import { addTo, BoundedTallies, costOf, countIn, join, MOST_VALUES, type TakeRoom, type Tally } from './tallies.ts';

/** The kinds of things of which there may be many. */
export const KINDS = ['addresses', 'routes', 'events', 'origins'] as const;
export type Kind = (typeof KINDS)[number];

/**
 * What would stand in the way of a stricter key although it was good: a form or a `_method`, which only a key that may use every
 * method may send; events that a key limited to specific ones could not have sent, whatever their names.
 */
export type Obstacle = 'forms' | 'unreadable_events';

/** One request, as it is counted. */
export interface Seen {
  /** When it came, in milliseconds since the epoch. */
  readonly at: number;
  /** Let through, and answered below 400. */
  readonly good: boolean;
  /** Why it does not count as good; '' if it does. */
  readonly reason: string;
  /** A rate limit would have counted it, good or not. */
  readonly paced: boolean;
  readonly address: AddressValue;
  /** As `routeValue` writes it; null: none that a key could be given or refused, `UNWRITABLE_ROUTE`: none that fits it. */
  readonly route: string | null;
  /** Of the page that sent it; '' for a page that names none, null: no page sent it. */
  readonly origin: string | null;
  readonly events: EventsSeen | null;
  readonly obstacle: Obstacle | null;
}

/** Of a path that no pattern fits in every reading. */
export const UNWRITABLE_ROUTE = '';

/** Names, each once. */
export interface EventsSeen {
  readonly passed: readonly string[];
  readonly removed: readonly string[];
}

/** What an empty record costs, in bytes, with its maps. */
export const EMPTY_DAY_BYTES = 4096;

export class DayCounts {
  requests = 0;
  good = 0;
  firstSeen = 0;
  lastSeen = 0;
  readonly addresses: BoundedTallies;
  readonly routes: BoundedTallies;
  readonly events: BoundedTallies;
  readonly origins: BoundedTallies;
  /** By reason. */
  readonly refused = new Map<string, Tally>();
  readonly obstacles = new Map<string, Tally>();
  readonly peaks = new Peaks();
  /** The addresses are joined into ranges. */
  joined = false;
  /** What it costs, about. */
  bytes = EMPTY_DAY_BYTES;
  readonly #takeRoom: TakeRoom;

  /** `takeRoom` is asked before anything is kept; `most` bounds each kind. */
  constructor(takeRoom: TakeRoom, most: number = MOST_VALUES) {
    this.addresses = new BoundedTallies(most);
    this.routes = new BoundedTallies(most);
    this.events = new BoundedTallies(most);
    this.origins = new BoundedTallies(most);
    this.#takeRoom = (bytes) => {
      if (!takeRoom(bytes)) return false;
      this.bytes += bytes;
      return true;
    };
  }

  /** Counts one request, and returns how many good things of it found no room. */
  count(seen: Seen): number {
    const { at, good } = seen;
    this.#see(1, good ? 1 : 0, at, at);
    if (seen.paced) this.peaks.count(at);
    if (!good) countIn(this.refused, seen.reason, at);
    if (good && seen.obstacle !== null) countIn(this.obstacles, seen.obstacle, at);
    let missed = this.#countAddress(seen.address, good, at);
    if (seen.route === UNWRITABLE_ROUTE) missed += good ? this.#missed(this.routes, 1) : 0;
    else if (seen.route !== null) missed += this.#countValue(this.routes, seen.route, good, at);
    if (seen.origin !== null) missed += this.#countValue(this.origins, seen.origin, good, at);
    if (seen.events !== null) missed += this.countEvents(seen.events, good, at);
    return missed;
  }

  /** Counts the events of a request that was counted before, or is. Those that were removed were not let through. */
  countEvents({ passed, removed }: EventsSeen, good: boolean, at: number): number {
    let missed = 0;
    for (const name of passed) missed += this.#countValue(this.events, name, good, at);
    for (const name of removed) missed += this.#countValue(this.events, name, false, at);
    return missed;
  }

  /** Counts what stands in the way of a stricter key, of a request that was counted before. */
  countObstacle(obstacle: Obstacle, at: number): void {
    countIn(this.obstacles, obstacle, at);
  }

  /** Adds what was counted elsewhere, and returns how often a good thing of it found no room. */
  add(other: DayCounts): number {
    if (other.requests > 0) this.#see(other.requests, other.good, other.firstSeen, other.lastSeen);
    if (other.joined) this.joinAddresses();
    let missed = 0;
    for (const kind of KINDS) {
      this[kind].miss(other[kind].truncated);
      for (const [value, tally] of [...other[kind].good, ...other[kind].others])
        missed += this.addValue(kind, value, tally);
    }
    for (const [reason, tally] of other.refused) addTo(this.refused, reason, tally);
    for (const [obstacle, tally] of other.obstacles) addTo(this.obstacles, obstacle, tally);
    this.peaks.add(other.peaks);
    return missed;
  }

  /** Joins the addresses into ranges, which may make room. It is done once: from then on only ranges are counted. */
  joinAddresses(): void {
    if (this.joined) return;
    this.joined = true;
    for (const map of [this.addresses.good, this.addresses.others]) {
      for (const [address, tally] of map) {
        const range = rangeOf(address);
        if (range === address) continue;
        map.delete(address);
        const known = map.get(range);
        if (known === undefined) map.set(range, tally);
        else {
          join(known, tally);
          this.#takeRoom(-costOf(address));
        }
      }
    }
    for (const [range, tally] of this.addresses.others) {
      const known = this.addresses.good.get(range);
      if (known === undefined) continue;
      this.addresses.others.delete(range);
      join(known, tally);
      this.#takeRoom(-costOf(range));
    }
  }

  #see(requests: number, good: number, firstSeen: number, lastSeen: number): void {
    this.firstSeen = this.requests === 0 ? firstSeen : Math.min(this.firstSeen, firstSeen);
    this.lastSeen = Math.max(this.lastSeen, lastSeen);
    this.requests += requests;
    this.good += good;
  }

  #countAddress(address: AddressValue, good: boolean, at: number): number {
    if (!this.joined) {
      if (this.addresses.count(address, good, at, this.#takeRoom)) return 0;
      if (!this.addresses.isFull) return this.#missed(this.addresses, 1);
      this.joinAddresses();
    }
    return this.#countValue(this.addresses, rangeOf(address), good, at);
  }

  #countValue(values: BoundedTallies, value: string, good: boolean, at: number): number {
    return values.count(value, good, at, this.#takeRoom) ? 0 : this.#missed(values, 1);
  }

  /** Adds what was counted elsewhere of one thing, and returns how often it was good and found no room. */
  addValue(kind: Kind, value: string, tally: Tally): number {
    const values = this[kind];
    const own = kind === 'addresses' && this.joined ? rangeOf(value) : value;
    if (values.add(own, tally, this.#takeRoom)) return 0;
    if (kind !== 'addresses' || this.joined || !values.isFull) return this.#missed(values, tally.good);
    this.joinAddresses();
    return this.addValue(kind, value, tally);
  }

  #missed(values: BoundedTallies, times: number): number {
    values.miss(times);
    return times;
  }
}
