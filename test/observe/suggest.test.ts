import fc from 'fast-check';
import t from 'tap';
import { keyCompiler } from '../../src/keys/compile.ts';
import type { WholeDefinition } from '../../src/keys/definition.ts';
import { readDefinition } from '../../src/keys/read-definition.ts';
import { parseAddress } from '../../src/lib/address.ts';
import { DayCounts, type Seen } from '../../src/observe/day-counts.ts';
import { patternOf, routeValue } from '../../src/observe/route-value.ts';
import { suggest, type Suggestion } from '../../src/observe/suggest.ts';
import { whatIf, type WhatIf } from '../../src/observe/what-if.ts';
import { compileRoutes } from '../../src/policy/route.ts';
import type { Ruleset } from '../../src/policy/ruleset.ts';
import { seenAt } from '../support/observed.ts';
import { apiRules, bearer, factsOf, judged, passageOf, rulesOf } from '../support/passages.ts';

const ROUTER = compileRoutes([
  { method: 'POST', path: '/track', events: 'event' },
  { method: 'GET', path: '/users/:id' },
]);
const RULES: Ruleset = rulesOf([], { integration: apiRules({ router: ROUTER, maxBodyBytes: 10_000 }) });

function definition(fields: object = {}): WholeDefinition {
  const read = readDefinition({ id: 'app', type: 'read-write', secret: 'the-secret-of-this-key', ...fields });
  if (!read.ok) throw new Error(JSON.stringify(read.findings));
  return read.value as WholeDefinition;
}

function countsOf(requests: readonly Seen[]): DayCounts {
  const counts = new DayCounts(() => true);
  for (const seen of requests) counts.count(seen);
  return counts;
}

const suggestFor = (requests: readonly Seen[], fields: object = {}): Suggestion =>
  suggest(countsOf(requests), { definition: definition(fields), rules: RULES });

const NOW = Date.UTC(2026, 5, 1);

const whatIfWith = (counts: DayCounts, fields: object): WhatIf =>
  whatIf(counts, { key: keyCompiler()(definition(fields)), rules: RULES }, NOW);

const ROUTE = { track: 'integration listed POST /track', users: 'integration listed GET /users/:id' };

t.test('the narrowest type whose methods were enough', (t) => {
  const types = (...methods: readonly string[]) =>
    suggestFor(methods.map((method) => seenAt(1, { route: `integration unlisted ${method} /x` }))).fields.type;
  t.equal(types('POST'), 'write-only');
  t.equal(types('GET'), 'read-only');
  t.equal(types('GET', 'HEAD'), 'read-only');
  t.equal(types('GET', 'POST'), 'read-write');
  t.equal(types('DELETE'), 'read-write');
  t.equal(suggestFor([seenAt(1)], { type: 'write-only' }).fields.type, 'write-only');
  t.equal(
    suggestFor([seenAt(1)], { type: 'metrics', apiKey: 'the-api-key-of-this-key' }).fields.type,
    undefined,
    'a metrics key stays one',
  );
  t.end();
});

t.test('a write-only key is suggested only where its pages are known', (t) => {
  const { fields, notSuggested } = suggestFor([seenAt(1)]);
  t.same([fields.type, fields.allowedOrigins, fields.allowBrowsers], ['write-only', [], null]);
  const counts = countsOf([seenAt(1)]);
  counts.origins.miss(1);
  const unknown = suggest(counts, { definition: definition(), rules: RULES });
  t.same([unknown.fields.type, unknown.notSuggested.type], [undefined, 'origins_unknown']);
  t.equal(unknown.notSuggested.allowedOrigins, 'truncated');
  t.same(notSuggested, { allowedEvents: 'nothing_seen' });
  t.end();
});

t.test('pages that use a key which is not write-only need to be let in', (t) => {
  const { fields } = suggestFor([seenAt(1, { route: ROUTE.users, origin: 'https://a.example' })], { mode: 'report' });
  t.same([fields.type, fields.allowBrowsers, fields.allowedOrigins], ['read-only', true, ['https://a.example']]);
  const unnamed = suggestFor([seenAt(1, { route: ROUTE.users, origin: '' })], { mode: 'report' });
  t.same([unnamed.fields.allowBrowsers, unnamed.fields.allowedOrigins], [true, []]);
  t.end();
});

t.test('what cannot be written down is not suggested', (t) => {
  t.equal(suggestFor([seenAt(1, { origin: 'null' })]).notSuggested.allowedOrigins, 'not_expressible');
  t.same(suggestFor([seenAt(1, { origin: 'null' })]).fields.allowedRoutes, ['POST /event/ingest'], 'and the rest is');
  t.equal(suggestFor([seenAt(1, { event: '', route: ROUTE.track })]).notSuggested.allowedEvents, 'not_expressible');
  t.end();
});

t.test('what was truncated, or could not be known or judged, is not suggested, and says why', (t) => {
  const unknown = suggestFor([seenAt(1, { address: 'unknown' })]);
  t.equal(unknown.notSuggested.allowFrom, 'unknown_address');
  const unlisted = suggestFor([
    seenAt(1, { route: ROUTE.track, event: 'a' }),
    seenAt(1, { route: 'integration unlisted POST /other' }),
  ]);
  t.equal(unlisted.notSuggested.allowedEvents, 'unlisted_routes');
  const unreadable = suggestFor([seenAt(1, { route: ROUTE.track, event: 'a', obstacle: 'unreadable_events' })]);
  t.equal(unreadable.notSuggested.allowedEvents, 'unreadable_events');
  const forms = suggestFor([seenAt(1, { route: ROUTE.track, event: 'a', obstacle: 'forms' })]);
  t.same(
    [forms.fields.type, forms.notSuggested.allowedRoutes, forms.notSuggested.allowedEvents],
    ['read-write', 'forms', 'forms'],
  );
  const unwritable = suggestFor([seenAt(1, { route: '' })]);
  t.same([unwritable.notSuggested.type, unwritable.notSuggested.allowedRoutes], ['truncated', 'truncated']);
  t.end();
});

t.test('of each kind one thing without room is enough that its field is not suggested', (t) => {
  const why = (kind: 'addresses' | 'routes' | 'events' | 'origins', fields: object = {}) => {
    const counts = countsOf([seenAt(1, { route: ROUTE.track, event: 'a', origin: 'https://a.example' })]);
    counts[kind].miss(1);
    return suggest(counts, { definition: definition(fields), rules: RULES }).notSuggested;
  };
  t.same(why('addresses'), { allowFrom: 'truncated' });
  t.same(why('routes'), { type: 'truncated', allowedRoutes: 'truncated', allowedEvents: 'unlisted_routes' });
  t.same(why('events'), { allowedEvents: 'truncated' });
  t.same(why('origins', { type: 'write-only', allowedOrigins: [] }), { allowedOrigins: 'truncated' });
  const counts = countsOf([seenAt(1, { route: ROUTE.users })]);
  counts.origins.miss(1);
  const reads = suggest(counts, { definition: definition(), rules: RULES });
  t.equal(reads.fields.type, 'read-only', 'a type that pages may not use needs no origins');
  t.same(reads.notSuggested, { allowedEvents: 'nothing_seen', allowedOrigins: 'truncated' });
  t.end();
});

t.test('where nothing good was seen, nothing is suggested', (t) => {
  const nothing = {
    type: 'nothing_seen',
    allowedRoutes: 'nothing_seen',
    allowFrom: 'nothing_seen',
    allowedEvents: 'nothing_seen',
    allowedOrigins: 'nothing_seen',
    rateLimit: 'nothing_seen',
  } as const;
  const refusedAlone = seenAt(1, { good: false, reason: 'ip_not_allowed', event: 'a', origin: 'https://a.example' });
  for (const requests of [[], [refusedAlone]]) {
    const { fields, because, notSuggested } = suggestFor(requests);
    t.same([fields, because], [{}, {}]);
    t.same(notSuggested, nothing);
  }
  t.end();
});

t.test('pages are not let in where none was seen', (t) => {
  const { fields, notSuggested } = suggestFor([seenAt(1, { route: ROUTE.users })]);
  t.same([fields.type, fields.allowBrowsers, fields.allowedOrigins], ['read-only', undefined, undefined]);
  t.same(notSuggested, { allowedEvents: 'nothing_seen' });
  const letIn = suggestFor([seenAt(1, { route: ROUTE.users })], { allowBrowsers: true });
  t.same([letIn.fields.allowBrowsers, letIn.fields.allowedOrigins], [undefined, []], 'and shut out where they were');
  t.end();
});

t.test('each field says what it rests on, what is used most first', (t) => {
  const { because, fields } = suggestFor([
    seenAt(1000, { address: '203.0.113.9', route: ROUTE.track, event: 'b', origin: 'https://b.example' }),
    seenAt(2000, { address: '203.0.113.7', route: ROUTE.track, event: 'a', origin: 'https://a.example' }),
    seenAt(3000, { address: '203.0.113.8', route: ROUTE.users, origin: 'https://a.example' }),
    seenAt(4000, { address: '203.0.113.8', route: 'integration listed GET /users/:name', origin: '' }),
    seenAt(5000, { route: ROUTE.users, good: false, reason: 'backend_404' }),
  ]);
  const entry = (value: string, requests: number, seconds: number) => ({
    value,
    requests,
    lastSeen: `1970-01-01T00:00:0${seconds}.000Z`,
  });
  t.same(because, {
    type: [entry('GET', 2, 5), entry('POST', 2, 2)],
    allowedRoutes: [entry('GET /users/:id', 2, 5), entry('POST /track', 2, 2)],
    allowFrom: [entry('203.0.113.8', 2, 4), entry('203.0.113.7', 1, 2), entry('203.0.113.9', 1, 1)],
    allowedEvents: [entry('a', 1, 2), entry('b', 1, 1)],
    allowedOrigins: [entry('https://a.example', 2, 3), entry('', 1, 4), entry('https://b.example', 1, 1)],
    allowBrowsers: [entry('https://a.example', 2, 3), entry('', 1, 4), entry('https://b.example', 1, 1)],
    rateLimit: [entry('requests in the busiest minute', 4, 4)],
  });
  t.same(fields.allowFrom, ['203.0.113.8', '203.0.113.7', '203.0.113.9']);
  t.same(fields.allowedOrigins, ['https://a.example', 'https://b.example']);
  t.end();
});

t.test('a method that no list of routes may hold is left out of it', (t) => {
  const { fields } = suggestFor([
    seenAt(1, { route: ROUTE.users }),
    seenAt(1, { route: 'integration unlisted OPTIONS /x' }),
  ]);
  t.same(fields.allowedRoutes, ['GET /users/:id']);
  t.end();
});

t.test('a route that no list can hold says so, and nothing is made of the rest', (t) => {
  const { notSuggested } = suggestFor([
    seenAt(1, { route: ROUTE.users }),
    seenAt(1, { route: 'integration unlisted GET /a//b' }),
  ]);
  t.equal(notSuggested.allowedRoutes, 'not_expressible');
  t.end();
});

t.test('a key that cannot be made any more, since a list of its is gone, has no narrower type', (t) => {
  const { fields, notSuggested } = suggestFor([seenAt(1, { route: ROUTE.track, event: 'a' })], {
    allowFrom: [{ list: 'gone' }],
  });
  t.equal(fields.type, 'read-write');
  t.equal(notSuggested.allowedEvents, 'not_expressible');
  t.end();
});

t.test('requests from strangers make no time pass', (t) => {
  const good = Array.from({ length: 100 }, (_, i) => seenAt(i));
  const stranger = seenAt(90_000_000, { good: false, reason: 'ip_not_allowed', address: '192.0.2.99' });
  t.match(suggestFor([...good, stranger]).tooLittle, /^Less than a day/);
  const counts = new DayCounts(() => false);
  for (let i = 0; i < 100; i++) counts.count(seenAt(i * 1_000_000));
  t.equal(suggest(counts, { definition: definition(), rules: RULES }).tooLittle, null, 'without room for one address');
  t.end();
});

t.test('what was not good teaches nothing', (t) => {
  const good = [seenAt(1, { route: ROUTE.track, event: 'a', origin: 'https://a.example' })];
  const bad = Array.from({ length: 300 }, (_, i) =>
    seenAt(i, {
      good: false,
      reason: 'backend_404',
      address: `10.0.0.${i % 200}`,
      event: `made-up-${i}`,
      route: `integration unlisted DELETE /made-up-${i}`,
      origin: `https://made-up-${i}.example`,
    }),
  );
  t.same({ ...suggestFor([...bad, ...good]), tooLittle: '' }, { ...suggestFor(good), tooLittle: '' });
  t.end();
});

t.test('neighbours become their range, from 16 on', (t) => {
  const from = (count: number): readonly string[] | undefined =>
    suggestFor(Array.from({ length: count }, (_, i) => seenAt(i, { address: `203.0.113.${i}` }))).fields.allowFrom;
  t.equal(from(15)?.length, 15);
  t.same(from(16), ['203.0.113.0/24']);
  t.end();
});

t.test('a rate limit is twice the busiest minute', (t) => {
  const requests = Array.from({ length: 7 }, (_, i) => seenAt(i * 1000));
  t.same(suggestFor(requests).fields.rateLimit, { requests: 14, windowSeconds: 60 });
  t.end();
});

t.test('too little says so', (t) => {
  const over = (ms: number, count = 100): string | null =>
    suggestFor(Array.from({ length: count }, (_, i) => seenAt(Math.floor((i * ms) / (count - 1))))).tooLittle;
  t.match(over(86_400_000, 99), /^Only 99 good requests/);
  t.match(over(86_399_000), /^Less than a day/);
  t.equal(over(86_400_000), null);
  t.end();
});

t.test('a limit is judged by the busiest second or minute', (t) => {
  const counts = countsOf([...Array(30).keys()].map((i) => seenAt(Math.floor(i / 10) * 1000)));
  const refused = (requests: number, windowSeconds: number): string[] =>
    whatIfWith(counts, { rateLimit: { requests, windowSeconds } }).wouldRefuse.map(
      ({ what, requests: times }) => `${times}: ${what}`,
    );
  t.same(refused(10, 1), []);
  t.same(refused(9, 1), ['1: 10 requests in one second']);
  t.same(refused(30, 60), []);
  t.same(refused(29, 60), ['1: 30 requests in one minute']);
  t.same(refused(29, 3600), ['1: 30 requests in one minute']);
  t.end();
});

t.test('denied addresses, other APIs and pages are told, each by the check that refuses them', (t) => {
  const counts = countsOf([
    seenAt(1, { address: '203.0.113.7', route: ROUTE.users, origin: 'https://a.example' }),
    seenAt(1, { address: 'unknown', route: ROUTE.users, origin: '' }),
  ]);
  const reasons = (fields: object): string[] =>
    whatIfWith(counts, fields).wouldRefuse.map(({ reason, what }) => `${reason} ${what}`);
  t.same(reasons({ allowBrowsers: true }), []);
  t.same(reasons({ allowBrowsers: true, denyFrom: ['203.0.113.0/24'] }), [
    'ip_not_allowed 203.0.113.7',
    'ip_not_allowed unknown',
  ]);
  t.same(reasons({}), ['browser_not_allowed https://a.example', 'browser_not_allowed pages that name no origin']);
  t.same(reasons({ allowBrowsers: true, apis: ['orders'] }), ['unknown GET /users/:id']);
  t.end();
});

interface Sent {
  readonly address: string;
  readonly method: string;
  readonly path: string;
  readonly origin: string | null;
  readonly event: string | null;
}

const anySent: fc.Arbitrary<Sent> = fc
  .record({
    address: fc.constantFrom('203.0.113.7', '203.0.113.8', '2001:db8::1', '198.51.100.1'),
    place: fc.constantFrom(
      ['POST', '/track'],
      ['GET', '/users/42'],
      ['HEAD', '/users/42'],
      ['GET', '/Users/43/'],
      ['PUT', '/other/thing'],
      ['POST', '/files/a%20b'],
      ['DELETE', '/deep/0123456789abcdef/x'],
    ),
    origin: fc.constantFrom(null, null, 'https://a.example', 'https://b.example:8443'),
    event: fc.constantFrom('login', 'view', 'ü "quoted"'),
  })
  .map(({ place: [method = '', path = ''], event, ...rest }) => ({
    ...rest,
    method,
    path,
    event: path === '/track' ? event : null,
  }));

function seenOf({ address, method, path, origin, event }: Sent): Seen {
  const match = ROUTER.match(method, path);
  const route =
    match === null
      ? { method, path: patternOf(path) ?? '', listed: false }
      : { method: match.route.method, path: match.route.pattern, listed: true };
  return seenAt(1000, {
    address,
    origin,
    route: routeValue({ api: 'integration', ...route }),
    ...(event === null ? {} : { event }),
  });
}

/** The code of the refusal of the real way, or `passed`. */
function replay(sent: Sent, fields: object): string {
  const key = keyCompiler()(definition(fields));
  const rules = { ...rulesOf([key]), apis: RULES.apis, choice: RULES.choice };
  const body = sent.event === null ? null : Buffer.from(JSON.stringify({ event: sent.event }));
  const headers = [
    ...bearer('app'),
    ...(sent.origin === null ? [] : ['Origin', sent.origin]),
    ...(body === null ? [] : ['Content-Type', 'application/json', 'Content-Length', String(body.length)]),
  ];
  const peer = { text: sent.address, address: parseAddress(sent.address), isUnix: false };
  const passage = passageOf(factsOf({ method: sent.method, target: sent.path, peer }, headers), rules);
  if (body !== null) passage.body = body;
  return judged(passage);
}

t.test('a suggestion refuses nothing of what it was made of, on the real way of a request', (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(anySent, { minLength: 1, maxLength: 25 }), fc.boolean(), (sent, confined) => {
        const start = confined ? { mode: 'report', type: 'write-only', allowFrom: [] } : { allowBrowsers: true };
        const counts = countsOf(sent.map(seenOf));
        const { fields } = suggest(counts, { definition: definition(start), rules: RULES });
        const taken = { ...start, ...fields, mode: 'enforce' };
        const refused = sent.map((one) => replay(one, taken)).filter((code) => code !== 'passed');
        const told = whatIfWith(counts, taken).wouldRefuse;
        if (refused.length > 0 || told.length > 0) throw new Error(JSON.stringify({ taken, refused, told }));
      }),
      { numRuns: 300 },
    ),
  );
  t.end();
});

t.test('and one step beside it is refused', (t) => {
  const one: Sent = {
    address: '203.0.113.7',
    method: 'POST',
    path: '/track',
    origin: 'https://a.example',
    event: 'login',
  };
  const { fields } = suggestFor([seenOf(one)]);
  t.equal(replay(one, fields), 'passed');
  t.equal(replay({ ...one, address: '203.0.113.8' }, fields), 'ip_not_allowed');
  t.equal(replay({ ...one, origin: 'https://b.example' }, fields), 'origin_not_allowed');
  t.equal(replay({ ...one, method: 'PUT' }, fields), 'method_not_allowed');
  t.equal(replay({ ...one, path: '/track/more' }, fields), 'route_not_allowed');
  t.equal(replay({ ...one, event: 'Login' }, fields), 'event_not_allowed');
  t.end();
});

t.test('a key that is disabled, or over, would have refused everything', (t) => {
  const counts = countsOf([seenAt(1), seenAt(2)]);
  const refused = (fields: object) =>
    whatIfWith(counts, fields).wouldRefuse.map(({ reason, what, requests }) => [reason, what, requests]);
  const value = 'the-secret-of-this-key';
  t.same(refused({ enabled: false }), [['disabled', 'every request', 2]]);
  t.same(refused({ expiresAt: '2026-05-31T23:59:59Z' }), [['expired', 'every request', 2]]);
  t.same(refused({ secret: undefined, secrets: [{ value, expiresAt: '2026-05-01T00:00:00Z' }] }), [
    ['expired', 'every request', 2],
  ]);
  t.same(refused({ expiresAt: '2026-06-01T00:00:01Z' }), []);
  t.end();
});
