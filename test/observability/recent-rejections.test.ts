import t from 'tap';
import type { Rejection } from '../../src/observability/outcome.ts';
import { createRecentRejections, RECENT_REJECTIONS } from '../../src/observability/recent-rejections.ts';

const rejection = (n: number, change: Partial<Rejection> = {}): Rejection => ({
  level: 'info',
  time: '2026-01-31T12:00:00.000Z',
  msg: 'rejected',
  requestId: String(n),
  api: 'integration',
  keyId: 'web',
  reason: 'no_route',
  status: 404,
  clientIp: '203.0.113.7',
  method: 'GET',
  path: '/',
  removedEvents: 0,
  mode: 'enforce',
  rule: undefined,
  events: undefined,
  userAgent: undefined,
  traceId: undefined,
  aborted: undefined,
  ...change,
});

const follower = () => ({ send: () => true, dropped: () => {} });

const ids = (rejections: readonly Rejection[]) => rejections.map(({ requestId }) => Number(requestId));

t.test('lists newest first, before and after the ring is full', async (t) => {
  const recent = createRecentRejections(3);
  t.same(recent.list(), []);
  recent.add(rejection(1));
  recent.add(rejection(2));
  t.same(ids(recent.list()), [2, 1]);
  for (const n of [3, 4, 5]) recent.add(rejection(n));
  t.same(ids(recent.list()), [5, 4, 3, 2, 1], 'those of the same reason and key besides');
  t.same(ids(recent.list({}, 2)), [5, 4]);
});

t.test('keeps a thousand unless told otherwise', async (t) => {
  const recent = createRecentRejections();
  for (let n = 0; n < RECENT_REJECTIONS + 5; n++) recent.add(rejection(n));
  const all = ids(recent.list());
  t.equal(all.length, 1000);
  t.equal(all.at(-1), 5);
});

t.test('filters by key and reason before it counts up to the limit', async (t) => {
  const recent = createRecentRejections(10);
  recent.add(rejection(1, { keyId: 'a' }));
  recent.add(rejection(2, { keyId: 'b', reason: 'ip_not_allowed' }));
  recent.add(rejection(3, { keyId: 'a', reason: 'ip_not_allowed' }));
  recent.add(rejection(4, { keyId: '' }));
  t.same(ids(recent.list({ key: 'a' })), [3, 1]);
  t.same(ids(recent.list({ reason: 'ip_not_allowed' }, 1)), [3]);
  t.same(ids(recent.list({ key: '' })), [4], 'callers that no key recognised');
  t.same(ids(recent.list({ key: 'a', reason: 'no_route' })), [1]);
});

t.test('filters by one of the events that were refused or cut out', async (t) => {
  const recent = createRecentRejections();
  recent.add(rejection(1, { events: ['login', 'purchase'] }));
  recent.add(rejection(2, { events: ['purchases'] }));
  recent.add(rejection(3));
  t.same(ids(recent.list({ event: 'purchase' })), [1]);
});

t.test('filters by what else a rejection says', async (t) => {
  const recent = createRecentRejections();
  recent.add(rejection(1, { clientIp: '198.51.100.1', path: '/a', mode: 'report' }));
  recent.add(rejection(2, { path: '/a' }));
  t.same(ids(recent.list({ address: '198.51.100.1' })), [1]);
  t.same(ids(recent.list({ path: '/a' })), [2, 1]);
  t.same(ids(recent.list({ path: '/a', mode: 'enforce' })), [2]);
  t.same(ids(recent.list({ requestId: '1' })), [1]);
});

t.test('a flood of one kind hides no other', async (t) => {
  const recent = createRecentRejections();
  for (let n = 0; n < 150; n++) {
    recent.add(rejection(n, { keyId: 'quiet' }));
    recent.add(rejection(1000 + n, { keyId: '', reason: 'ip_not_allowed' }));
    recent.add(rejection(2000 + n, { keyId: '', mode: 'report' }));
  }
  for (let n = 10_000; n < 40_000; n++) recent.add(rejection(n, { keyId: n % 2 === 0 ? '' : 'loud' }));
  t.same(
    ids(recent.list({ key: 'quiet' })),
    Array.from({ length: 100 }, (_, n) => 149 - n),
  );
  t.same(
    ids(recent.list({ reason: 'ip_not_allowed' })),
    Array.from({ length: 100 }, (_, n) => 1149 - n),
  );
  t.same(
    ids(recent.list({ mode: 'report' })),
    Array.from({ length: 100 }, (_, n) => 2149 - n),
  );
  const all = ids(recent.list());
  t.equal(all.length, 1300);
  t.same(
    all.slice(0, 1000),
    Array.from({ length: 1000 }, (_, n) => 39_999 - n),
  );
  t.equal(new Set(all).size, all.length, 'none twice');
});

t.test('however many keys are refused, what is kept is bounded, and shared fairly', async (t) => {
  const recent = createRecentRejections();
  const bound = 1000 + 100 + 20_000;
  recent.add(rejection(-1, { keyId: 'quiet' }));
  for (let n = 0; n < 100_000; n++) recent.add(rejection(n, { keyId: `key-${n % 1000}` }));
  t.ok(recent.list().length <= bound);
  t.same(ids(recent.list({ key: 'quiet' })), [-1]);
  const some = ids(recent.list({ key: 'key-7' }));
  t.ok(some.length >= 15, 'a thousand keys have nearly twenty each');
  t.same(
    some,
    Array.from({ length: some.length }, (_, n) => 99_007 - 1000 * n),
    'the latest',
  );
  for (let n = 100_000; n < 200_000; n++) recent.add(rejection(n, { keyId: `key-${n}` }));
  t.ok(recent.list().length <= bound);
  t.same(ids(recent.list({ key: 'key-199000' })), [199_000]);
});

t.test('callers without a known key have no share of their own, which anybody could fill', async (t) => {
  const recent = createRecentRejections(3);
  for (let n = 0; n < 50; n++) recent.add(rejection(n, { keyId: '' }));
  for (let n = 100; n < 300; n++) recent.add(rejection(n, { keyId: 'loud' }));
  t.same(recent.list({ key: '' }), []);
});

t.test('of very many keys those that were refused longest ago are forgotten first', async (t) => {
  const recent = createRecentRejections(1);
  for (let n = 0; n < 20_000; n++) recent.add(rejection(n, { keyId: `key-${n}`, reason: 'no_route' }));
  t.equal(recent.list({ key: 'key-0' }).length, 1, 'there is room for twenty thousand');
  recent.add(rejection(20_000, { keyId: 'key-0' }));
  for (let n = 20_001; n < 20_200; n++) recent.add(rejection(n, { keyId: `key-${n}` }));
  t.equal(recent.list({ key: 'key-0' }).length, 1, 'refused again lately');
  t.equal(recent.list({ key: 'key-1' }).length, 0);
  t.equal(recent.list({ key: 'key-19999' }).length, 1);
});

t.test('followers hear of each rejection until they leave', async (t) => {
  const recent = createRecentRejections(10);
  const heard: number[] = [];
  const leave = recent.follow({
    send: ({ requestId }) => heard.push(Number(requestId)) > 0,
    dropped: () => t.fail('was not slow'),
  });
  recent.add(rejection(1));
  leave?.();
  recent.add(rejection(2));
  t.same(heard, [1]);
});

t.test('a follower that cannot keep up is let go, the others stay', async (t) => {
  const recent = createRecentRejections(10);
  let dropped = 0;
  let heard = 0;
  recent.follow({ send: () => false, dropped: () => void dropped++ });
  recent.follow({ send: () => heard++ >= 0, dropped: () => t.fail('was not slow') });
  recent.add(rejection(1));
  recent.add(rejection(2));
  t.equal(dropped, 1);
  t.equal(heard, 2);
});

t.test('the number of followers is bounded, and a place is free again when one leaves', async (t) => {
  const recent = createRecentRejections(10);
  const leavers = Array.from({ length: 32 }, () => recent.follow(follower()));
  t.equal(recent.follow(follower()), null);
  leavers[0]?.();
  t.not(recent.follow(follower()), null);
});
