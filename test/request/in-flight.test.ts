import * as fc from 'fast-check';
import t from 'tap';
import { createInFlight, type InFlight, type Seat } from '../../src/request/in-flight.ts';
import type { Routed } from '../../src/request/passage.ts';
import type { ApiRules } from '../../src/policy/ruleset.ts';
import { parseAddress } from '../../src/lib/address.ts';
import { apiRules, factsOf, key, passageOf, rulesOf } from '../support/passages.ts';

const RULES = rulesOf([]);

interface Whose {
  readonly id?: string;
  readonly api?: ApiRules['name'];
  readonly address?: string;
}

/** `id`: of its key; without it no key is known. */
function passageBy({ id, api = 'integration', address = '192.0.2.1' }: Whose = {}): Routed {
  const peer = { text: address, address: parseAddress(address), isUnix: false };
  const identity = id === undefined ? null : { key: key(id), secret: { id: 's', digest: 's', expiresAt: null } };
  return Object.assign(passageOf(factsOf({ peer }), RULES), { api: apiRules({ name: api }), identity });
}

/** Takes seats until there is none; how many there were, and why there is no other one. */
function fill(inFlight: InFlight, whose: Whose): { readonly seats: Seat[]; readonly why: string } {
  const seats: Seat[] = [];
  for (;;) {
    const seat = inFlight.take(passageBy(whose), null);
    if (typeof seat === 'string') return { seats, why: seat };
    seats.push(seat);
  }
}
const filled = (inFlight: InFlight, whose: Whose): number => fill(inFlight, whose).seats.length;

t.test('a key, strangers, one of their addresses and one of several APIs have parts of it', async (t) => {
  const inFlight = createInFlight({ limit: 400, bytesLimit: 1_000_000, apis: 2 });
  t.match(fill(inFlight, { id: 'a' }), {
    seats: { length: 200 },
    why: /^200 requests of key a are under way \(maxRequestsInFlight\)$/,
  });
  t.match(fill(inFlight, { id: 'b' }), {
    seats: { length: 100 },
    why: /^300 requests of the integration API are under way/,
  });
  t.match(fill(inFlight, { id: 'm', api: 'metrics' }), { seats: { length: 100 }, why: /^400 requests are under way/ });
  const strangers = createInFlight({ limit: 400, bytesLimit: 1_000_000, apis: 1 });
  t.match(fill(strangers, {}), {
    seats: { length: 100 },
    why: /^100 requests of its address without a known key are under way/,
  });
  t.equal(filled(strangers, { address: '2001:db8::1' }), 100);
  t.equal(filled(strangers, { address: '2001:db8::ffff:1' }), 0, 'of the same network');
  t.match(fill(strangers, { address: '2001:db8:0:1::1' }), {
    seats: { length: 0 },
    why: /^200 .* without a known key/,
  });
  t.equal(filled(strangers, { id: 'a' }), 200);
});

t.test('an IPv6 network has one part, whichever of its addresses asks', async (t) => {
  const inFlight = createInFlight({ limit: 400, bytesLimit: 1_000_000, apis: 1 });
  t.equal(filled(inFlight, { address: '2001:db8::1' }), 100);
  t.equal(filled(inFlight, { address: '2001:db8::ffff:1' }), 0);
  t.equal(filled(inFlight, { address: '2001:db8:0:1::1' }), 100, 'another network');
});

t.test('a single API may have all, and a few are for everybody', async (t) => {
  const inFlight = createInFlight({ limit: 40, bytesLimit: 1_000_000, apis: 1 });
  t.equal(filled(inFlight, { id: 'a' }), 20);
  t.equal(filled(inFlight, { id: 'b' }), 20);
  for (const limit of [0, 1, 16]) t.equal(filled(createInFlight({ limit, bytesLimit: 1_000_000, apis: 2 }), {}), limit);
  t.equal(filled(createInFlight({ limit: 20, bytesLimit: 1_000_000, apis: 2 }), { id: 'a' }), 16);
});

t.test('another API, and one that goes, change what one may have', async (t) => {
  const inFlight = createInFlight({ limit: 400, bytesLimit: 1_000_000, apis: 1 });
  const [first, second] = [fill(inFlight, { id: 'a' }), fill(inFlight, { id: 'b' })];
  t.same([first.seats.length, second.seats.length], [200, 200]);
  inFlight.setApis(2);
  for (const seat of first.seats.slice(0, 50)) inFlight.leave(seat);
  t.equal(filled(inFlight, { id: 'a' }), 0, 'what is under way may end, and then the API has its part');
  t.equal(filled(inFlight, { id: 'm', api: 'metrics' }), 50);
  inFlight.setApis(1);
  inFlight.leave(second.seats[0] as Seat);
  t.equal(filled(inFlight, { id: 'a' }), 1);
});

t.test('a request whose key becomes known goes over to the share of its key, or keeps its seat', async (t) => {
  const inFlight = createInFlight({ limit: 32, bytesLimit: 1_000_000, apis: 1 });
  const before = fill(inFlight, {}).seats;
  t.equal(before.length, 16);
  const moved = inFlight.take(passageBy({ id: 'a' }), before[0] as Seat) as Seat;
  t.not(moved, before[0]);
  t.equal(inFlight.take(passageBy({ id: 'a' }), moved), moved, 'and stays there');
  t.equal(filled(inFlight, {}), 1, 'its old one is free');
  t.equal(filled(inFlight, { id: 'a' }), 15);
  t.match(inFlight.take(passageBy({ id: 'a' }), before[1] as Seat), /^16 requests of key a are under way/);
  inFlight.leave(before[1] as Seat);
  t.equal(filled(inFlight, {}), 1, 'it was still held');
});

t.test('what bodies take is shared out in the same way, and one that is alone has room', async (t) => {
  const inFlight = createInFlight({ limit: 400, bytesLimit: 800, apis: 2 });
  const seated = (whose: Whose): Seat => inFlight.take(passageBy(whose), null) as Seat;
  const [a, also, b, m, stranger] = [{ id: 'a' }, { id: 'a' }, { id: 'b' }, { id: 'm', api: 'metrics' }, {}].map(
    seated,
  ) as [Seat, Seat, Seat, Seat, Seat];
  t.equal(inFlight.hold(a, 0, 300), null);
  t.equal(inFlight.hold(also, 0, 100), null);
  t.equal(
    inFlight.hold(also, 100, 1),
    '400 bytes of the bodies of requests of key a are in memory (maxBodyBytesInFlight)',
  );
  t.equal(inFlight.hold(b, 0, 200), null);
  t.match(inFlight.hold(b, 200, 1), /^600 bytes of the bodies of requests of the integration API are/);
  t.equal(inFlight.hold(m, 0, 200), null);
  t.match(inFlight.hold(m, 200, 1), /^800 bytes of the bodies of requests are in memory/);
  inFlight.leave(b, 200);
  t.match(inFlight.hold(stranger, 0, 201), /^400 bytes of the bodies of requests of the integration API are/);
  inFlight.leave(also, 100);
  inFlight.leave(m, 200);
  t.equal(inFlight.hold(a, 300, 10_000), null, 'nobody else has any');
  t.match(inFlight.hold(stranger, 0, 1), /^10300 bytes/);
  inFlight.leave(a, 10_300);
  t.equal(inFlight.hold(stranger, 0, 200), null, 'all is free');
  t.match(inFlight.hold(seated({}), 0, 1), /^200 bytes .* of its address without a known key/);
});

t.test('what a body takes goes with its request to another share', async (t) => {
  const inFlight = createInFlight({ limit: 400, bytesLimit: 800, apis: 1 });
  const stranger = inFlight.take(passageBy(), null) as Seat;
  t.equal(inFlight.hold(stranger, 0, 200), null);
  const known = inFlight.take(passageBy({ id: 'a' }), stranger, 200) as Seat;
  t.match(inFlight.hold(inFlight.take(passageBy({ id: 'a' }), null) as Seat, 0, 201), /^200 bytes .* of key a /);
  t.equal(inFlight.hold(inFlight.take(passageBy(), null) as Seat, 0, 200), null);
  inFlight.leave(known, 200);
  t.equal(inFlight.hold(inFlight.take(passageBy({ id: 'a' }), null) as Seat, 0, 400), null);
  const full = createInFlight({ limit: 1, bytesLimit: 800, apis: 1 });
  const only = full.take(passageBy(), null) as Seat;
  full.hold(only, 0, 700);
  t.match(full.take(passageBy(), null), /^1 requests/);
  t.equal(only.bytes, 700, 'who finds no seat changes nothing');
});

t.test('whatever comes and goes, no share is passed, and all is free in the end', async (t) => {
  const whose = fc.record({
    id: fc.constantFrom(undefined, 'a', 'b', 'c'),
    api: fc.constantFrom('integration' as const, 'metrics' as const),
    address: fc.constantFrom('192.0.2.1', '192.0.2.2', '::1', 'unknown'),
  });
  const move = fc.tuple(fc.constantFrom('take', 'take', 'take', 'move', 'leave'), whose, fc.nat());
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.array(move, { maxLength: 200, size: 'max' }), (limit, moves) => {
        const inFlight = createInFlight({ limit, bytesLimit: 1_000_000, apis: 2 });
        const held: Seat[] = [];
        for (const [what, { id, api, address }, n] of moves) {
          const index = n % Math.max(1, held.length);
          const passage = passageBy({ api, address, ...(id !== undefined && { id }) });
          if (what === 'leave') for (const seat of held.splice(index, 1)) inFlight.leave(seat);
          else {
            const before = what === 'move' ? (held[index] ?? null) : null;
            const seat = inFlight.take(passage, before);
            if (typeof seat !== 'string') held.splice(index, before === null ? 0 : 1, seat);
          }
          for (let seat: Seat | null = held[0] ?? null; seat !== null; seat = seat.within)
            if (seat.taken > seat.limit || (seat.within === null && seat.taken !== held.length)) return false;
        }
        for (const seat of held) inFlight.leave(seat);
        return filled(inFlight, { id: 'fresh' }) === Math.max(Math.ceil(limit / 2), Math.min(limit, 16));
      }),
    ),
  );
});

t.test('whoever is under way keeps its part, however many others come and go', async (t) => {
  const inFlight = createInFlight({ limit: 64, bytesLimit: 1_000_000, apis: 1 });
  t.equal(filled(inFlight, {}), 16);
  for (let n = 0; n < 2100; n++) {
    const other = inFlight.take(passageBy({ address: `198.51.${n >> 8}.${n & 255}` }), null);
    if (typeof other === 'string') t.fail(other);
    else inFlight.leave(other);
  }
  t.equal(filled(inFlight, {}), 0);
});
