import t from 'tap';
import type { DayCounts } from '../../src/observe/day-counts.ts';
import { routeValue } from '../../src/observe/route-value.ts';
import { observedView } from '../../src/observe/view.ts';
import { parseAddress } from '../../src/lib/address.ts';

const tally = (good: number, requests = good, at = 0) => ({ good, requests, firstSeen: at, lastSeen: at });
const seen = (good: object = {}, others: object = {}, truncated = 0) => ({
  good: new Map(Object.entries(good)),
  others: new Map(Object.entries(others)),
  truncated,
});
const counts = (change: object = {}): DayCounts =>
  ({
    requests: 0,
    good: 0,
    firstSeen: 0,
    lastSeen: 0,
    addresses: seen(),
    routes: seen(),
    events: seen(),
    origins: seen(),
    refused: new Map(),
    obstacles: new Map(),
    peaks: { perSecond: 0, perMinute: 0 },
    ...change,
  }) as unknown as DayCounts;

t.test('what is used most comes first, then what is asked for most, then by its text', async (t) => {
  const events = seen({ b: tally(2), a: tally(2), much: tally(9), tried: tally(2, 5) }, { none: tally(0, 90) });
  const view = observedView(counts({ events }));
  t.same(
    view.events.map(({ name }) => name),
    ['much', 'tried', 'a', 'b', 'none'],
  );
  const equals = seen({ b: tally(1), c: tally(1), a: tally(1), e: tally(1), d: tally(1) });
  t.same(
    observedView(counts({ events: equals })).events.map(({ name }) => name),
    ['a', 'b', 'c', 'd', 'e'],
  );
  const reasons = new Map(Object.entries({ z: tally(0, 1, 1000), y: tally(0, 3), x: tally(0, 1) }));
  t.same(observedView(counts({ refused: reasons, obstacles: reasons })).refused, [
    { reason: 'y', requests: 3, lastSeen: '1970-01-01T00:00:00.000Z' },
    { reason: 'x', requests: 1, lastSeen: '1970-01-01T00:00:00.000Z' },
    { reason: 'z', requests: 1, lastSeen: '1970-01-01T00:00:01.000Z' },
  ]);
});

t.test('times stand where something was seen', async (t) => {
  const { since, until } = observedView(counts());
  t.same([since, until], [null, null]);
  const view = observedView(counts({ requests: 2, good: 1, firstSeen: 1, lastSeen: 2000 }));
  t.same(
    [view.since, view.until, view.requests, view.good],
    ['1970-01-01T00:00:00.001Z', '1970-01-01T00:00:02.000Z', 2, 1],
  );
});

t.test('a route that was listed on one day and not on another is one route, as it was last', async (t) => {
  const value = (listed: boolean) => routeValue({ api: 'orders', method: 'GET', path: '/a', listed });
  for (const [listedAt, unlistedAt] of [
    [1, 2],
    [2, 1],
  ] as const) {
    const routes = seen(
      { [value(true)]: tally(3, 3, listedAt) },
      { [value(false)]: tally(0, 4, unlistedAt), odd: tally(0) },
    );
    t.same(observedView(counts({ routes })).routes, [
      {
        api: 'orders',
        method: 'GET',
        path: '/a',
        listed: listedAt > unlistedAt,
        requests: 7,
        good: 3,
        firstSeen: '1970-01-01T00:00:00.001Z',
        lastSeen: '1970-01-01T00:00:00.002Z',
      },
    ]);
  }
});

t.test('addresses are text, and pages without an origin are left out', async (t) => {
  const address = parseAddress('192.0.2.1') ?? '';
  const view = observedView(
    counts({
      addresses: seen({ [address]: tally(1) }, {}, 1),
      origins: seen({ '': tally(2), 'https://a.example': tally(1) }, {}, 2),
    }),
  );
  t.same(
    view.addresses.map(({ address }) => address),
    ['192.0.2.1'],
  );
  t.same(
    view.origins.map(({ origin }) => origin),
    ['https://a.example'],
  );
  t.same(view.truncated, { addresses: 1, routes: 0, events: 0, origins: 2 });
});
