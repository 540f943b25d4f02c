/**
 * How many requests may be under way at once, and how many of them one API, one key, or callers without a known key may have:
 * an API whose backend hangs, or a client that never ends its uploads, leaves room for all others. Waits for nobody.
 */
import { IPV6_UNITS, type Address } from '../lib/address.ts';
import { createTallies, type Tallies } from '../lib/tallies.ts';
import { clientOf, type Passage } from '../policy/pipeline.ts';
import type { ApiName, ApiRules } from '../policy/ruleset.ts';

/** The place of one request under way: it counts in its own share and in each that this one is a part of. */
export interface Seat {
  /** '' or ` of ...`, for the log. */
  readonly of: string;
  limit: number;
  readonly within: Seat | null;
  taken: number;
}

export interface InFlight {
  /**
   * The seat of a request, in place of the one that it holds already, if that is another: whose it is may turn out later.
   * A text says why there is none; what was held then still is.
   */
  readonly take: (passage: Passage & { readonly api: ApiRules }, held: Seat | null) => Seat | string;
  readonly leave: (seat: Seat) => void;
  /** How many APIs there are from now on. */
  readonly setApis: (count: number) => void;
}

export interface InFlightOptions {
  /** Of all requests. */
  readonly limit: number;
  /** How many APIs there are: a single one may have all of it. */
  readonly apis: number;
}

/** A part of fewer than this would be of no use: below it, everybody may have everything. */
const LEAST_SHARE = 16;

export function createInFlight({ limit, apis }: InFlightOptions): InFlight {
  const part = (of: number): number => Math.max(Math.ceil(limit * of), Math.min(limit, LEAST_SHARE));
  const limitOfApi = (count: number): number => part(count > 1 ? 3 / 4 : 1);
  const all: Seat = { of: '', limit, within: null, taken: 0 };
  const byApi = new Map<ApiName, ApiSeats>();
  let apiLimit = limitOfApi(apis);

  const seatsOf = (api: ApiName): ApiSeats => {
    let seats = byApi.get(api);
    if (seats === undefined) {
      const own: Seat = { of: ` of the ${api} API`, limit: apiLimit, within: all, taken: 0 };
      const keyless: Seat = { of: ' without a known key', limit: part(1 / 2), within: own, taken: 0 };
      seats = {
        own,
        keys: seatsWithin(own, part(1 / 2), (id) => ` of key ${id}`),
        addresses: seatsWithin(keyless, part(1 / 4), () => ' of its address without a known key'),
      };
      byApi.set(api, seats);
    }
    return seats;
  };

  return {
    take(passage, held) {
      const { keys, addresses } = seatsOf(passage.api.name);
      const { identity } = passage;
      const seat = identity === null ? addresses.of(networkOf(clientOf(passage).address)) : keys.of(identity.key.id);
      if (seat === held) return seat;
      if (held !== null) add(held, -1);
      const full = fullOf(seat);
      if (full === null) add(seat, 1);
      else if (held !== null) add(held, 1);
      return full === null ? seat : `${full.taken} requests${full.of} are under way (maxRequestsInFlight)`;
    },
    leave: (seat) => add(seat, -1),
    setApis(count) {
      apiLimit = limitOfApi(count);
      for (const { own } of byApi.values()) own.limit = apiLimit;
    },
  };
}

interface ApiSeats {
  readonly own: Seat;
  readonly keys: Tallies<Seat>;
  readonly addresses: Tallies<Seat>;
}

function seatsWithin(within: Seat, limit: number, nameOf: (name: string) => string): Tallies<Seat> {
  return createTallies<Seat>({
    make: (name) => ({ of: nameOf(name), limit, within, taken: 0 }),
    isIdle: ({ taken }) => taken === 0,
  });
}

/** The share that has no room for one more, the smallest first; null: there is room in all. */
function fullOf(seat: Seat): Seat | null {
  for (let share: Seat | null = seat; share !== null; share = share.within)
    if (share.taken >= share.limit) return share;
  return null;
}

function add(seat: Seat, one: 1 | -1): void {
  for (let share: Seat | null = seat; share !== null; share = share.within) share.taken += one;
}

/** Whoever has one IPv6 address has the whole /64 that it lies in. */
function networkOf(address: Address | null): string {
  if (address === null) return '';
  return address.length === IPV6_UNITS ? address.slice(0, IPV6_UNITS / 2) : address;
}
