/** What is told of a request at its end. Whole sidecars are asked in test/flows/observed.test.ts. */
import { PassThrough } from 'node:stream';
import t from 'tap';
import type { Observer } from '../../src/observe/observer.ts';
import { createEventReader } from '../../src/observe/event-reader.ts';
import { dayOf, Observations, type Subject } from '../../src/observe/observations.ts';
import { observedView, type Observed } from '../../src/observe/view.ts';
import { compileRoutes } from '../../src/policy/route.ts';
import type { Seen } from '../../src/observe/day-counts.ts';
import type { UnreadEvents } from '../../src/observe/event-reader.ts';
import { readRouteValue, type ObservedRoute } from '../../src/observe/route-value.ts';
import { createObserving, startObserving } from '../../src/request/observing.ts';
import type { Exchange } from '../../src/request/exchange.ts';
import { refusal, type Refusal } from '../../src/refusal.ts';
import { parseAddress } from '../../src/lib/address.ts';
import { MOST_CHARACTERS } from '../../src/observe/tallies.ts';
import { UNKNOWN_ADDRESS } from '../../src/observe/address-value.ts';
import { UNWRITABLE_ROUTE } from '../../src/observe/day-counts.ts';
import { heldAfter } from '../support/held-memory.ts';
import { apiRules, factsOf, key, NOON, passageOf, rulesOf } from '../support/passages.ts';

type Given = Partial<Pick<Exchange, 'identity' | 'refusal' | 'wouldReject' | 'endpoint' | 'path' | 'api' | 'query'>> & {
  readonly fields?: readonly string[];
  readonly method?: string;
};

/** What is observed of one request. */
async function observedOf(
  { fields = [], method = 'GET', ...given }: Given,
  answer: { readonly status: number; readonly tokenIssued?: boolean } = { status: 200 },
  subject: Subject = { kind: 'key', name: 'web' },
): Promise<Observed | null> {
  const observations = new Observations({ days: 30 });
  const reader = createEventReader(observations);
  const observing = createObserving({ observations, reader } as Observer);
  const passage = passageOf(factsOf({ method }, fields), rulesOf([]));
  const exchange = {
    ...passage,
    api: apiRules(),
    path: '/things/1',
    identity: { key: key('web', { type: 'read-write' }), secret: { id: 's', digest: '', expiresAt: null } },
    refusal: null,
    ...given,
  } as unknown as Exchange;
  observing.count(exchange, answer);
  await reader.idle();
  const counts = observations.read(subject, dayOf(NOON));
  return counts && observedView(counts);
}

const API: Subject = { kind: 'api', name: 'integration' };
const reasons = (seen: Observed | null): string[] => (seen?.refused ?? []).map(({ reason }) => reason);

t.test('good is what was let through and answered below 400', async (t) => {
  for (const status of [200, 204, 304, 399]) t.equal((await observedOf({}, { status }))?.good, 1, String(status));
  t.same(reasons(await observedOf({}, { status: 400 })), ['backend_400']);
  t.same(reasons(await observedOf({}, { status: 499 })), ['client_gone']);
  const failed: Refusal = refusal('upstream_timeout', 'no answer');
  t.same(reasons(await observedOf({ refusal: failed }, { status: 200 })), ['upstream_timeout'], 'also in its midst');
  t.equal((await observedOf({ wouldReject: refusal('ip_not_allowed', '') }))?.good, 1, 'report mode');
});

t.test('whose it is', async (t) => {
  const expired = {
    ...refusal('invalid_credential' as never, ''),
    reason: 'expired',
    keyId: 'web',
  } as unknown as Refusal;
  t.same(reasons(await observedOf({ identity: null, refusal: expired }, { status: 401 })), ['expired']);
  const stranger = { ...expired, reason: 'unknown', keyId: undefined } as unknown as Refusal;
  t.equal(await observedOf({ identity: null, refusal: stranger }, { status: 401 }, API), null);
  t.same(
    reasons(
      await observedOf(
        { identity: null, refusal: stranger, api: apiRules({ enforcement: 'report' }) },
        { status: 401 },
        API,
      ),
    ),
    ['unknown'],
  );
  t.equal((await observedOf({ identity: null }, { status: 200 }, API))?.good, 1, 'a public route');
  t.equal(await observedOf({ identity: null, endpoint: 'preflight' }, { status: 204 }, API), null);
  t.equal(await observedOf({ identity: null, api: null }, { status: 404 }, API), null);
});

t.test('an access token is good where it is issued, and goes to no route', async (t) => {
  const issued = await observedOf({ endpoint: 'token' }, { status: 200, tokenIssued: true });
  t.same([issued?.good, issued?.routes.length, issued?.addresses.length], [1, 0, 1]);
});

t.test('what only a key for every method may send is in the way of a stricter one', async (t) => {
  const obstacles = async (given: Given): Promise<string[]> =>
    ((await observedOf(given))?.obstacles ?? []).map(({ reason }) => reason);
  const form = ['Content-Type', 'application/x-www-form-urlencoded', 'Content-Length', '3'];
  t.same(await obstacles({ method: 'POST', fields: form }), ['forms']);
  t.same(await obstacles({ query: '?_method=DELETE' }), ['forms']);
  t.same(await obstacles({ query: '?a=b' }), []);
});

t.test('a path that was never read, or is too long, is no route', async (t) => {
  for (const path of ['', `/${'x'.repeat(600)}`]) {
    const seen = await observedOf({ path });
    t.same([seen?.routes, seen?.truncated.routes], [[], 1]);
  }
});

t.test('pages by their origin; two of them are none', async (t) => {
  const origins = async (...fields: readonly string[]): Promise<string[]> =>
    ((await observedOf({ fields }))?.origins ?? []).map(({ origin }) => origin);
  t.same(await origins('Origin', 'https://a.example'), ['https://a.example']);
  t.same(await origins('Origin', 'https://a.example', 'Origin', 'https://b.example'), []);
  t.same(await origins(), []);
});

t.test(
  'of bodies that stream slowly, copies are kept of a bounded number of bytes, and go with their request',
  async (t) => {
    const observations = new Observations({ days: 30 });
    const reader = createEventReader(observations);
    const observing = createObserving({ observations, reader } as Observer);
    const streamed = (): { readonly req: PassThrough; readonly exchange: Exchange } => {
      const req = Object.assign(new PassThrough(), { complete: true });
      const route = compileRoutes([{ method: 'POST', path: '/track', events: 'event' }]).match('POST', '/track');
      const exchange = {
        ...passageOf(
          factsOf({ method: 'POST' }, ['Content-Type', 'application/json', 'Content-Length', '20']),
          rulesOf([]),
        ),
        api: apiRules(),
        path: '/track',
        route,
        req,
        body: 'stream',
        identity: { key: key('web', { type: 'read-write' }), secret: { id: 's', digest: '', expiresAt: null } },
        refusal: null,
      } as unknown as Exchange;
      observing.follow(exchange);
      req.emit('data', Buffer.alloc(200_000));
      return { req, exchange };
    };
    const all = Array.from({ length: 200 }, streamed);
    const listening = all.filter(({ req }) => req.listenerCount('data') > 0).length;
    t.equal(listening, Math.floor(16_777_216 / 200_000));
    for (const { exchange } of all) observing.count(exchange, { status: 499 });
    const { req, exchange } = streamed();
    t.equal(req.listenerCount('data'), 1, 'there is room again');
    req.emit('data', Buffer.alloc(100_000));
    t.equal(req.listenerCount('data'), 0, 'one that is too large is let go');
    observing.count(exchange, { status: 200 });
    await reader.idle();
    const counts = observations.read({ kind: 'key', name: 'web' }, dayOf(NOON));
    t.equal(counts?.obstacles.get('unreadable_events')?.requests, 1);
  },
);

const TRACK = compileRoutes([
  { method: 'POST', path: '/track/:id', events: 'event' },
  { method: 'GET', path: '/users/:id' },
  { method: 'GET', path: '/cafe' },
]);
const LIMITED = {
  key: key('web', { allowedEvents: new Set(['a']) }),
  secret: { id: 's', digest: '', expiresAt: null },
};
const REPORTED = { ...LIMITED, key: { ...LIMITED.key, mode: 'report' } as typeof LIMITED.key };
const UNLIMITED = { ...LIMITED, key: key('web') };

/** What the counts and the reader of events are told of one request, by an API with routes. */
function toldOf(
  given: Partial<Exchange> & {
    readonly target?: string;
    readonly method?: string;
    readonly fields?: readonly string[];
  },
  answer: { readonly status: number; readonly tokenIssued?: boolean } = { status: 200 },
) {
  const { target = '/track/1', method = 'POST', fields = [], ...change } = given;
  const counted: { subject: Subject; seen: Seen }[] = [];
  const unread: UnreadEvents[] = [];
  const observing = createObserving({
    observations: {
      count: (kind: Subject['kind'], name: string, seen: Seen) => counted.push({ subject: { kind, name }, seen }),
    },
    reader: { add: (one: UnreadEvents) => unread.push(one) },
  } as unknown as Observer);
  const exchange = {
    ...passageOf(factsOf({ method, target }, fields), rulesOf([])),
    api: apiRules(),
    path: target,
    route: TRACK.match(method, target),
    body: Buffer.from('{"event":"a"}'),
    identity: LIMITED,
    refusal: null,
    req: { complete: true },
    ...change,
  } as unknown as Exchange;
  observing.count(exchange, answer);
  return { subject: counted[0]?.subject, seen: counted[0]?.seen, unread, counted, exchange, observing };
}

t.test('a request is counted once, with when, where from, where to and whether it was good', async (t) => {
  const eventNames = { allowed: ['a'], disallowed: ['b'] };
  const { counted, subject, seen, unread } = toldOf({ eventNames });
  t.equal(counted.length, 1);
  t.same(subject, { kind: 'key', name: 'web' });
  t.match(seen, {
    at: NOON,
    good: true,
    reason: '',
    paced: true,
    origin: null,
    events: { passed: ['a'], removed: ['b'] },
    obstacle: null,
  });
  t.equal(seen?.address, parseAddress('192.0.2.1'));
  t.same(unread, []);
  const failed = toldOf({ eventNames }, { status: 503 });
  t.match(failed.seen, { good: false, reason: 'backend_503', events: { passed: ['a'], removed: ['b'] } });
  t.equal(failed.seen?.paced, true, 'a rate limit counts what the backend fails');
  const event = refusal('event_not_allowed', '');
  t.equal(toldOf({ refusal: event, seatOf: LIMITED }, { status: 403 }).seen?.paced, true, 'and what is refused later');
  const scope = refusal('route_not_allowed', '');
  t.equal(toldOf({ refusal: scope, seatOf: null }, { status: 403 }).seen?.paced, false, 'but nothing of before');
  const early = { refusal: scope, identity: null, seatOf: null, api: apiRules({ enforcement: 'report' }) };
  t.equal(toldOf(early, { status: 403 }).seen?.paced, false);
  const nowhere = toldOf({ client: { text: 'unknown', address: null } as never }).seen;
  t.equal(nowhere?.address, UNKNOWN_ADDRESS);
});

t.test('a listed route is counted as it is listed, any other by its pattern, and an endpoint by none', async (t) => {
  const routeOf = (given: Parameters<typeof toldOf>[0]): ObservedRoute | string | null => {
    const value = toldOf(given).seen?.route ?? null;
    return value === null ? null : (readRouteValue(value) ?? value);
  };
  t.same(routeOf({}), { api: 'integration', method: 'POST', path: '/track/:id', listed: true });
  t.same(routeOf({ target: '/other/123' }), { api: 'integration', method: 'POST', path: '/other/:id', listed: false });
  const unsure = TRACK.match('GET', '/caf%C3%A9');
  t.equal(unsure?.route.isSure, false);
  t.same(routeOf({ method: 'GET', target: '/other', route: unsure }), {
    api: 'integration',
    method: 'GET',
    path: '/other',
    listed: false,
  });
  t.equal(routeOf({ endpoint: 'token' }), null);
  t.equal(routeOf({ api: null, route: null }), null);
  const longest = `/${'x'.repeat(MOST_CHARACTERS - 1)}`;
  t.not(routeOf({ target: longest }), UNWRITABLE_ROUTE);
  t.equal(routeOf({ target: `${longest}x` }), UNWRITABLE_ROUTE);
});

t.test('what was seen before is counted alike, however many paths come between', async (t) => {
  const { observing, exchange, counted } = toldOf({});
  const { route, path } = exchange;
  const routeOf = (change: Partial<Exchange>): string | null | undefined => {
    observing.count(Object.assign(exchange, change), { status: 200 });
    return counted.at(-1)?.seen.route;
  };
  const first = routeOf({ route: null, path: '/some/x0' });
  for (let n = 1; n < 1100; n++) routeOf({ route: null, path: `/some/x${n}` });
  t.equal(routeOf({ route: null, path: '/some/x0' }), first);
  t.equal(routeOf({ route, path }), counted[0]?.seen.route);
});

t.test('events that nobody had to judge are read later, and those that were are not read again', async (t) => {
  const isRead = (given: Parameters<typeof toldOf>[0], status = 200) => toldOf(given, { status }).unread.length === 1;
  const judgedOnes = { eventNames: { allowed: ['a'], disallowed: [] } };
  t.equal(isRead({ identity: UNLIMITED }), true);
  t.equal(isRead({ identity: UNLIMITED }, 400), false, 'a bad one teaches nothing');
  t.equal(isRead({ identity: UNLIMITED, ...judgedOnes }), false);
  t.equal(isRead({ identity: LIMITED }), false, 'the filter would have');
  t.equal(isRead({ identity: REPORTED }), true);
  t.equal(isRead({ identity: REPORTED, ...judgedOnes }), false);
  const objected = { ...judgedOnes, wouldReject: refusal('event_not_allowed', '') };
  t.equal(isRead({ identity: REPORTED, ...objected }), true, 'which went on as it came');
  t.equal(isRead({ identity: UNLIMITED, ...objected }), false);
  t.equal(isRead({ identity: LIMITED, api: apiRules({ enforcement: 'report' }) }), true);
  t.equal(isRead({ identity: null }), true);
  t.equal(isRead({ identity: UNLIMITED, method: 'GET', target: '/users/1' }), false, 'a route without events');
  t.equal(isRead({ identity: UNLIMITED, target: '/other' }), false);
});

t.test('the reader gets the body as it was sent on, unless it is too large or did not come', async (t) => {
  const given = (change: Partial<Exchange>) => toldOf({ identity: UNLIMITED, query: '?a', ...change }).unread[0];
  const whole = given({ bodyJudged: true });
  t.match(whole, { kind: 'key', name: 'web', path: '/track/1', query: '?a', decoded: true });
  t.equal(whole?.body?.toString(), '{"event":"a"}');
  t.equal(given({})?.decoded, false);
  t.equal(given({ body: Buffer.alloc(262_144) })?.body?.length, 262_144);
  t.equal(given({ body: Buffer.alloc(262_145) })?.body, null);
  t.equal(given({ body: 'unread' })?.body?.length, 0);
  t.equal(given({ body: 'stream' })?.body, null, 'nobody followed it');
});

t.test('a body that streams is followed where its events are to be read, and counts if it came whole', async (t) => {
  const streaming = (given: Parameters<typeof toldOf>[0] = {}, complete = true) => {
    const { exchange, observing, unread } = toldOf({ fields: ['Content-Length', '13'], identity: UNLIMITED, ...given });
    const req = Object.assign(new PassThrough(), { complete });
    Object.assign(exchange, { req, body: 'stream' });
    unread.length = 0;
    observing.follow(exchange);
    const listens = req.listenerCount('data') > 0;
    req.emit('data', Buffer.from('{"event":'));
    req.emit('data', Buffer.from('"a"}'));
    observing.count(exchange, { status: 200 });
    return { listens, paused: req.isPaused(), read: unread[0]?.body?.toString() ?? null };
  };
  t.same(streaming(), { listens: true, paused: true, read: '{"event":"a"}' });
  t.same(streaming({}, false), { listens: true, paused: true, read: null });
  t.equal(streaming({ identity: LIMITED }).listens, false);
  t.equal(streaming({ fields: ['Content-Length', '262145'] }).listens, false);
  t.equal(streaming({ fields: ['Content-Length', '262144'] }).listens, true);
  t.equal(streaming({ fields: ['Transfer-Encoding', 'chunked'] }).listens, true);
});

t.test('a page without an origin, or with two, is a page all the same', async (t) => {
  const originOf = (...fields: string[]) => toldOf({ fields }).seen?.origin;
  t.equal(originOf(), null);
  t.equal(originOf('Sec-Fetch-Site', 'same-origin'), '');
  t.equal(originOf('Origin', 'https://a.example', 'Origin', 'https://b.example'), '');
  t.equal(originOf('Origin', 'https://a.example'), 'https://a.example');
});

t.test('what is in the way of a stricter key is noted of good traffic alone', async (t) => {
  const obstacle = (change: Partial<Exchange>, status = 200) =>
    toldOf({ query: '?_method=PUT', ...change }, { status, tokenIssued: true }).seen?.obstacle;
  t.equal(obstacle({}), 'forms');
  t.equal(obstacle({}, 400), null);
  t.equal(obstacle({ endpoint: 'token' }), null);
});

t.test('an answer of our own that is no token is not good, nor is a preflight of a stranger counted', async (t) => {
  t.equal(toldOf({ endpoint: 'token' }).seen?.good, false);
  t.equal(toldOf({ endpoint: 'token' }, { status: 200, tokenIssued: true }).seen?.good, true);
  const preflight = { method: 'OPTIONS', fields: ['Origin', 'a', 'Access-Control-Request-Method', 'POST'] };
  t.same(toldOf({ ...preflight, identity: null }).counted, []);
  t.same(toldOf({ method: 'OPTIONS', identity: null }).subject, { kind: 'api', name: 'integration' });
});

t.test('nothing is observed unless it is switched on, and what goes wrong with it is logged', async (t) => {
  const logged: unknown[] = [];
  const log = { info: () => {}, warn: (...line: unknown[]) => void logged.push(line) };
  const observe = { enabled: true, days: 1, store: 'memory' };
  t.equal(startObserving({ observe: { ...observe, enabled: false } } as never, { now: () => NOON, log }), null);
  const observing = startObserving({ observe } as never, { now: () => NOON, log });
  observing?.count({ body: Buffer.alloc(0) } as unknown as Exchange, { status: 200 });
  t.match(logged, [['observation_failed', { detail: /./ }]]);
  await observing?.observer.close();
});

t.test('of very many paths no more are remembered than some', (t) => {
  const { exchange } = toldOf({});
  const observing = createObserving({
    observations: { count: () => {} },
    reader: { add: () => {} },
  } as unknown as Observer);
  const held = heldAfter(() => {
    for (let n = 0; n < 40_000; n++) {
      const path = `/${n}/${'x'.repeat(250)}`;
      observing.count(Object.assign(exchange, { route: null, path }), { status: 200 });
    }
  });
  t.ok(held < 4_000_000, `${held} bytes`);
  observing.count(exchange, { status: 200 });
  t.end();
});
