import t from 'tap';
import { keyCompiler } from '../../src/keys/compile.ts';
import type { WholeDefinition } from '../../src/keys/definition.ts';
import { readDefinition } from '../../src/keys/read-definition.ts';
import { DayCounts, type Seen } from '../../src/observe/day-counts.ts';
import { whatIf, type WouldRefuse } from '../../src/observe/what-if.ts';
import { compileRoutes } from '../../src/policy/route.ts';
import { seenAt } from '../support/observed.ts';
import { apiRules, rulesOf } from '../support/passages.ts';

const INTEGRATION = apiRules({
  router: compileRoutes([
    { method: 'POST', path: '/track', events: 'event' },
    { method: 'GET', path: '/users/:id' },
  ]),
});
const CLOSED = apiRules({
  name: 'closed',
  unlisted: 'refuse',
  router: compileRoutes([{ method: 'GET', path: '/open' }]),
});
const RULES = rulesOf([], { apis: [INTEGRATION, CLOSED] });
const NOW = Date.UTC(2026, 5, 1);
const TRACK = 'integration listed POST /track';
const USERS = 'integration listed GET /users/:id';

function countsOf(...requests: readonly Seen[]): DayCounts {
  const counts = new DayCounts(() => true);
  for (const seen of requests) counts.count(seen);
  return counts;
}

function refusedOf(counts: DayCounts, fields: object): readonly WouldRefuse[] {
  const read = readDefinition({ id: 'app', type: 'read-write', secret: 'the-secret-of-this-key', ...fields });
  if (!read.ok) throw new Error(JSON.stringify(read.findings));
  const { requests, wouldRefuse } = whatIf(
    counts,
    { key: keyCompiler()(read.value as WholeDefinition), rules: RULES },
    NOW,
  );
  t.equal(requests, counts.good);
  return wouldRefuse;
}

t.test(
  'each thing is told by its code, with how often it was good and when last, what is used most first',
  async (t) => {
    const counts = countsOf(
      seenAt(1000, { route: TRACK, event: 'b' }),
      seenAt(2000, { route: TRACK, event: 'a' }),
      seenAt(3000, { route: TRACK, event: 'much' }),
      seenAt(4000, { route: TRACK, event: 'much' }),
      seenAt(5000, { route: TRACK, event: 'fine' }),
      seenAt(6000, { route: TRACK, event: 'much', good: false, reason: 'backend_500' }),
      seenAt(7000, { route: USERS, good: false, reason: 'backend_404' }),
    );
    t.same(refusedOf(counts, { allowedEvents: ['fine'] }), [
      { reason: 'event_not_allowed', what: 'much', requests: 2, lastSeen: '1970-01-01T00:00:06.000Z' },
      { reason: 'event_not_allowed', what: 'a', requests: 1, lastSeen: '1970-01-01T00:00:02.000Z' },
      { reason: 'event_not_allowed', what: 'b', requests: 1, lastSeen: '1970-01-01T00:00:01.000Z' },
    ]);
    t.same(refusedOf(counts, { allowedEvents: 'all' }), []);
    t.same(refusedOf(counts, { type: 'read-only' }), [
      {
        reason: 'method_not_allowed',
        what: 'POST /track',
        requests: 5,
        lastSeen: '1970-01-01T00:00:06.000Z',
      },
    ]);
    t.same(refusedOf(counts, { allowedRoutes: ['GET /users/:id'] }), [
      { reason: 'route_not_allowed', what: 'POST /track', requests: 5, lastSeen: '1970-01-01T00:00:06.000Z' },
    ]);
  },
);

t.test('a route that its API does not list any more is refused where the API refuses such', async (t) => {
  const counts = countsOf(
    seenAt(1, { route: 'closed listed GET /open' }),
    seenAt(1, { route: 'closed listed GET /gone' }),
    seenAt(1, { route: 'no-such-api listed GET /x' }),
  );
  t.same(
    refusedOf(counts, {}).map(({ reason, what }) => [reason, what]),
    [['route_not_allowed', 'GET /gone']],
  );
});

t.test('a range is refused unless it holds from its first address to its last', async (t) => {
  const counts = countsOf(seenAt(1, { address: '203.0.113.7', route: USERS }));
  counts.joinAddresses();
  const refused = (allowFrom: readonly string[]): readonly string[] =>
    refusedOf(counts, { allowFrom }).map(({ reason, what }) => `${reason} ${what}`);
  t.same(refused(['203.0.113.0/24']), []);
  t.same(refused(['203.0.113.0/25']), ['ip_not_allowed 203.0.113.0/24']);
  t.same(refused(['203.0.113.128/25']), ['ip_not_allowed 203.0.113.0/24']);
});

t.test('pages are refused by their origin where the key names others', async (t) => {
  const counts = countsOf(
    seenAt(1, { route: USERS, origin: 'https://a.example' }),
    seenAt(1, { route: USERS, origin: 'https://b.example' }),
    seenAt(1, { route: USERS, origin: '' }),
  );
  const refused = (fields: object): readonly string[] =>
    refusedOf(counts, { allowBrowsers: true, ...fields }).map(({ reason, what }) => `${reason} ${what}`);
  t.same(refused({ allowedOrigins: ['https://a.example'] }), ['origin_not_allowed https://b.example']);
  t.same(refused({ allowedOrigins: [] }), [
    'origin_not_allowed https://a.example',
    'origin_not_allowed https://b.example',
  ]);
  t.same(refused({ allowedOrigins: ['*'] }), []);
});

t.test(
  'forms stand in the way of every key that may not use all methods, unreadable events of one with a list',
  async (t) => {
    const counts = countsOf(
      seenAt(1000, { route: TRACK, obstacle: 'forms' }),
      seenAt(2000, { route: TRACK, obstacle: 'forms' }),
      seenAt(3000, { route: TRACK, event: 'fine', obstacle: 'unreadable_events' }),
    );
    const forms = {
      reason: 'unsupported_media_type',
      what: 'forms, and queries with a _method',
      requests: 2,
      lastSeen: '1970-01-01T00:00:02.000Z',
    };
    const unreadable = {
      reason: 'invalid_event_body',
      what: 'bodies whose events could not be judged',
      requests: 1,
      lastSeen: '1970-01-01T00:00:03.000Z',
    };
    t.same(refusedOf(counts, {}), []);
    t.same(refusedOf(counts, { type: 'write-only', allowedOrigins: [] }), [forms]);
    t.same(refusedOf(counts, { type: 'write-only', allowedOrigins: [], allowedEvents: ['fine'] }), [forms, unreadable]);
    const readable = countsOf(seenAt(1, { route: TRACK, event: 'fine' }));
    t.same(refusedOf(readable, { type: 'write-only', allowedOrigins: [], allowedEvents: ['fine'] }), []);
  },
);

t.test('a limit says how many of the busiest window were too many', async (t) => {
  // Ten requests a second for three seconds.
  const counts = countsOf(...Array.from({ length: 30 }, (_, i) => seenAt(Math.floor(i / 10) * 1000, { route: USERS })));
  const refused = (requests: number, windowSeconds: number) =>
    refusedOf(counts, { rateLimit: { requests, windowSeconds } });
  const entry = { reason: 'rate_limited', lastSeen: '1970-01-01T00:00:02.000Z' };
  t.same(refused(7, 1), [{ ...entry, what: '10 requests in one second', requests: 3 }]);
  t.same(refused(10, 59), [{ ...entry, what: '30 requests in one minute', requests: 20 }], 'no second was too busy');
  t.same(refused(9, 59), [{ ...entry, what: '10 requests in one second', requests: 1 }]);
  t.same(refused(9, 60), [{ ...entry, what: '30 requests in one minute', requests: 21 }], 'a minute by the minute');
  t.same(refused(29, 120), [{ ...entry, what: '30 requests in one minute', requests: 1 }]);
  t.same(refused(29, 60), [{ ...entry, what: '30 requests in one minute', requests: 1 }]);
  t.same(refused(30, 120), []);
});

t.test('what the backend fails uses up a limit, and no more than what was good is told', async (t) => {
  const failed = Array.from({ length: 9 }, () =>
    seenAt(0, { route: USERS, good: false, reason: 'backend_404', paced: true }),
  );
  const rateLimit = { requests: 1, windowSeconds: 1 };
  const entry = { reason: 'rate_limited', what: '10 requests in one second', lastSeen: '1970-01-01T00:00:00.000Z' };
  t.same(refusedOf(countsOf(...failed, seenAt(0, { route: USERS })), { rateLimit }), [{ ...entry, requests: 1 }]);
  t.same(refusedOf(countsOf(...failed), { rateLimit }), []);
});

t.test('of a key that admits nothing at all, nothing good means nothing refused', async (t) => {
  const none = countsOf(seenAt(1, { good: false, reason: 'disabled' }));
  t.same(refusedOf(none, { enabled: false }), []);
  t.same(refusedOf(countsOf(seenAt(1000)), { enabled: false }), [
    { reason: 'disabled', what: 'every request', requests: 1, lastSeen: '1970-01-01T00:00:01.000Z' },
  ]);
});
