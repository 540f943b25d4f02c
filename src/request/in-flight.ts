/**
 * How many requests may be under way at once, and how much of their bodies may be in memory; and how much of both one API, one key, or
 * callers without a known key may have: an API whose backend hangs, or a client that never ends its uploads, leaves room for all
 * others. Waits for nobody.
 */
import { IPV6_UNITS, type Address } from '../lib/address.ts';
import { createTallies, type Tallies } from '../lib/tallies.ts';
import { clientOf, type Routed } from './passage.ts';
import type { ApiName } from '../policy/ruleset.ts';

/** The place of one request under way: it counts in its own share and in each that this one is a part of. */
export interface Seat {
  /** '' or ` of ...`, for the log. */
  readonly of: string;
  limit: number;
  /** In bytes of bodies. */
  bytesLimit: number;
  readonly within: Seat | null;
  taken: number;
  bytes: number;
}

export interface InFlight {
  /**
   * The seat of a request, in place of the one that it holds already, if that is another: whose it is may turn out later.
   * A text says why there is none; what was held then still is. `bytes`: of its body, which move with it.
   */
  readonly take: (passage: Routed, held: Seat | null, bytes?: number) => Seat | string;
  /** Room for `more` bytes of the body of a request that has `own` in memory by now; the text says why there is none. */
  readonly hold: (seat: Seat, own: number, more: number) => string | null;
  /** `bytes`: of its body. */
  readonly leave: (seat: Seat, bytes?: number) => void;
  /** How many APIs there are from now on. */
  readonly setApis: (count: number) => void;
}

export interface InFlightOptions {
  /** Of all requests. */
  readonly limit: number;
  /** In bytes, of the bodies of all requests. */
  readonly bytesLimit: number;
  /** How many APIs there are: a single one may have all of it. */
  readonly apis: number;
}

/** A part of fewer than this would be of no use: below it, everybody may have everything. */
const LEAST_SHARE = 16;

export function createInFlight({ limit, bytesLimit, apis }: InFlightOptions): InFlight {
  const part = (of: number): Limits => ({
    limit: Math.max(Math.ceil(limit * of), Math.min(limit, LEAST_SHARE)),
    bytesLimit: Math.ceil(bytesLimit * of),
  });
  const partOfApi = (count: number): Limits => part(count > 1 ? 3 / 4 : 1);
  const all = seatOf('', { limit, bytesLimit }, null);
  const byApi = new Map<ApiName, ApiSeats>();
  let ofApi = partOfApi(apis);

  const seatsOf = (api: ApiName): ApiSeats => {
    let seats = byApi.get(api);
    if (seats === undefined) {
      const own = seatOf(` of the ${api} API`, ofApi, all);
      const keyless = seatOf(' without a known key', part(1 / 2), own);
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
    take(passage, held, bytes = 0) {
      const { keys, addresses } = seatsOf(passage.api.name);
      const { identity } = passage;
      const seat = identity === null ? addresses.of(networkOf(clientOf(passage).address)) : keys.of(identity.key.id);
      if (seat === held) return seat;
      if (held !== null) add(held, -1, -bytes);
      const full = fullOf(seat);
      if (full === null) add(seat, 1, bytes);
      else if (held !== null) add(held, 1, bytes);
      return full === null ? seat : `${full.taken} requests${full.of} are under way (maxRequestsInFlight)`;
    },
    hold(seat, own, more) {
      const full = fullOfBytes(seat, own, more);
      if (full === null) add(seat, 0, more);
      return full && `${full.bytes} bytes of the bodies of requests${full.of} are in memory (maxBodyBytesInFlight)`;
    },
    leave: (seat, bytes = 0) => add(seat, -1, -bytes),
    setApis(count) {
      ofApi = partOfApi(count);
      for (const { own } of byApi.values()) Object.assign(own, ofApi);
    },
  };
}

interface ApiSeats {
  readonly own: Seat;
  readonly keys: Tallies<Seat>;
  readonly addresses: Tallies<Seat>;
}

type Limits = Pick<Seat, 'limit' | 'bytesLimit'>;

const seatOf = (of: string, { limit, bytesLimit }: Limits, within: Seat | null): Seat => ({
  of,
  limit,
  bytesLimit,
  within,
  taken: 0,
  bytes: 0,
});

function seatsWithin(within: Seat, limits: Limits, nameOf: (name: string) => string): Tallies<Seat> {
  return createTallies<Seat>({
    make: (name) => seatOf(nameOf(name), limits, within),
    isIdle: ({ taken }) => taken === 0,
  });
}

/** The share that has no room for one more, the smallest first; null: there is room in all. */
function fullOf(seat: Seat): Seat | null {
  for (let share: Seat | null = seat; share !== null; share = share.within)
    if (share.taken >= share.limit) return share;
  return null;
}

/** As `fullOf`, for bytes. The body of whoever is alone in a share finds room there, however large it may be. */
function fullOfBytes(seat: Seat, own: number, more: number): Seat | null {
  for (let share: Seat | null = seat; share !== null; share = share.within)
    if (share.bytes > own && share.bytes + more > share.bytesLimit) return share;
  return null;
}

function add(seat: Seat, requests: 1 | 0 | -1, bytes: number): void {
  for (let share: Seat | null = seat; share !== null; share = share.within) {
    share.taken += requests;
    share.bytes += bytes;
  }
}

/** Whoever has one IPv6 address has the whole /64 that it lies in. */
function networkOf(address: Address | null): string {
  if (address === null) return '';
  return address.length === IPV6_UNITS ? address.slice(0, IPV6_UNITS / 2) : address;
}
