/** Which answers may be kept, and for whom. How they are sent is tested through the whole way, in gateway.test and the flows. */
import t from 'tap';
import type { RouteDefinition } from '../../src/config/route-definition.ts';
import { compileRoutes } from '../../src/policy/route.ts';
import type { ApiRules } from '../../src/policy/ruleset.ts';
import { refusal } from '../../src/refusal.ts';
import { freshMsOf, isForStrangers, mayBeCached, shapeOf } from '../../src/request/cache-shape.ts';
import type { Passage, Routed } from '../../src/request/passage.ts';
import { identityOf, metricsKey } from '../support/metrics-keys.ts';
import { apiRules, factsOf, key, passageOf, rulesOf } from '../support/passages.ts';

t.test('an answer of the metrics API is kept for an admitted query alone', async (t) => {
  const api = apiRules({ name: 'metrics' });
  const passage = (change: Partial<Passage> = {}): Passage => ({
    ...passageOf(factsOf({ target: '/metrics/query/a' }), rulesOf([])),
    api,
    path: '/metrics/query/a',
    identity: identityOf(metricsKey()),
    ...change,
  });
  t.equal(mayBeCached(passage()), true);
  t.equal(freshMsOf(passage()), 300_000);
  const others: Readonly<Record<string, Partial<Passage>>> = {
    'another API': { api: apiRules() },
    'no API': { api: null },
    'an API in report mode': { api: apiRules({ name: 'metrics', enforcement: 'report' }) },
    'another method': { facts: factsOf({ method: 'PUT' }) },
    'two codings': { facts: factsOf({}, ['Content-Encoding', 'gzip', 'Content-Encoding', 'br']) },
    'two types': { facts: factsOf({}, ['Content-Type', 'a/a', 'Content-Type', 'b/b']) },
    GET: { facts: factsOf({ method: 'GET' }) },
    'nobody known': { identity: null },
    'a request that report mode alone let pass': { wouldReject: refusal('ip_not_allowed', 'elsewhere') },
    'another path': { path: '/metrics/other' },
    'a path with two readings': { path: '/metrics/query/a%2Fb' },
    'the token endpoint': { path: '/metrics/auth/token' },
  };
  for (const [what, change] of Object.entries(others)) t.equal(mayBeCached(passage(change)), false, what);
});

/** A request with these fields on the one route of an API, by a key of this type. */
function onRoute(
  route: Partial<RouteDefinition> | null,
  { method = 'GET', path = '/users/1', fields = [] as string[], holder = key('k', { type: 'read-only' }) } = {},
  api: Partial<ApiRules> = {},
): Routed {
  const router = compileRoutes(
    route === null ? [] : [{ method: method === 'HEAD' ? 'GET' : method, path: '/users/:id', ...route }],
  );
  const rules = apiRules({ name: 'orders', router, ...api });
  const passage = passageOf(factsOf({ method }, fields), rulesOf([], { apis: [rules] }));
  return { ...passage, api: rules, path, route: router.match(method, path), identity: identityOf(holder) };
}

const PASS: ApiRules['authorization'] = { basic: { kind: 'pass' }, bearer: { kind: 'pass' }, places: [] };

t.test('in any API the routes that say so are kept for as long as they say, for GET, HEAD and POST', async (t) => {
  for (const method of ['GET', 'HEAD', 'POST']) {
    const passage = onRoute({ cacheMinutes: 2 }, { method });
    t.same([mayBeCached(passage), freshMsOf(passage)], [true, 120_000], method);
  }
  for (const method of ['PUT', 'DELETE', 'PATCH'])
    t.equal(mayBeCached(onRoute({ cacheMinutes: 2 }, { method })), false, method);
  t.equal(mayBeCached(onRoute({})), false);
  t.equal(mayBeCached(onRoute(null)), false);
  const accented = onRoute({ path: '/users/e', cacheMinutes: 2 }, { path: '/users/%C3%A9' });
  t.same([accented.route?.route.isSure, mayBeCached(accented)], [false, false], 'which only some take for this route');
  t.equal(mayBeCached({ ...onRoute({ cacheMinutes: 2 }), identity: null }), false);
  const open = { ...onRoute({ cacheMinutes: 2, public: true }), identity: null };
  t.same([mayBeCached(open), freshMsOf(open)], [true, 120_000]);
});

t.test('strangers are all who need no key, or have one that stands in a page', async (t) => {
  const of = (change: object) => isForStrangers(onRoute({}, { holder: key('k', change) }));
  t.equal(isForStrangers({ ...onRoute({}), identity: null }), true);
  t.equal(of({ type: 'write-only' }), true);
  t.equal(of({ type: 'read-only', allowBrowsers: true }), true);
  t.equal(of({ type: 'read-only' }), false);
  t.equal(of({ type: 'metrics', allowBrowsers: true }), false, 'a token is shown by nobody who was not given it');
});

t.test('what a visitor or an end user is known by shapes every answer', async (t) => {
  const shape = (fields: string[], api: Partial<ApiRules> = {}) => shapeOf(onRoute({}, { fields }, api));
  t.equal(shape([]), shape(['X-A', '1', 'Authorization', 'Bearer x']), 'of one holder nothing else does');
  const shapes = [
    shape([]),
    shape(['Cookie', 'a=1']),
    shape(['cookie', 'a=2']),
    shape(['Cookie', 'a=1', 'Cookie', 'b=2']),
    shape(['X-Forwarded-User', 'a']),
    shape(['x-forwarded-user', 'b']),
    shape(['X-Forwarded-User', 'a', 'X-Forwarded-User', 'b']),
    shape(['X-Forwarded-Email', 'a']),
    shape(['Remote-User', 'a']),
    shape(['X-Goog-IAP-JWT-Assertion', 'a']),
    shape(['Cookie', 'a=1', 'X-User-Id', '1']),
    shape(['Authorization', 'Bearer x'], { authorization: PASS }),
    shape(['Authorization', 'Bearer y'], { authorization: PASS }),
    shapeOf({ ...onRoute({}), facts: factsOf({ secure: true }) }),
    shapeOf(onRoute({}, { holder: key('k', { type: 'read-write' }) })),
  ];
  t.equal(new Set(shapes).size, shapes.length);
});

t.test('of strangers every field shapes it that is not known to be harmless', async (t) => {
  const shape = (fields: string[], api: Partial<ApiRules> = {}) =>
    shapeOf(onRoute({}, { fields, holder: key('k') }, api));
  for (const fields of [
    ['X-Host', 'evil.test'],
    ['X-Forwarded-Server', 'evil.test'],
    ['Accept', 'text/html'],
    ['Accept-Language', 'de'],
    ['Origin', 'https://a.test'],
    ['X-A', '1', 'X-B', '2'],
    ['Sec-Key', '1'],
  ])
    t.not(shape(fields), shape([]), fields.join());
  t.not(shape(['X-A', '1, X-B, 2']), shape(['X-A', '1', 'X-B', '2']));
  for (const fields of [
    ['User-Agent', 'a'],
    ['traceparent', '00-1'],
    ['Sec-Fetch-Mode', 'cors'],
    ['X-Forwarded-For', '192.0.2.1'],
    ['X-Request-Id', '1'],
  ])
    t.equal(shape(fields), shape([]), fields.join());
  const inField = (kind: 'strip' | 'pass'): Partial<ApiRules> => ({
    credential: [{ kind: 'header', name: 'x-api-key' }],
    credentialFields: ['x-api-key'],
    authorization: { basic: { kind }, bearer: { kind }, places: [{ kind }] },
  });
  t.equal(shape(['X-Api-Key', 'secret'], inField('strip')), shape([], inField('strip')), 'the key is in the key');
  t.notMatch(shape(['X-Api-Key', 'secret'], inField('strip')), /secret/);
  t.not(shape(['X-Api-Key', 'secret'], inField('pass')), shape([], inField('pass')), 'the backend gets it');
});

t.test('what an answer is shaped by is all in one text, and each part of it tells', async (t) => {
  const named = (fields: string[], api: Partial<ApiRules> = {}, change: Partial<Routed> = {}) =>
    shapeOf({ ...onRoute({}, { fields }, api), ...change });
  const cookie = ['Cookie', 'a=1'];
  t.equal(named([]), 'http read-only');
  t.equal(named([], {}, { facts: factsOf({ secure: true }) }), 'https read-only');
  t.equal(named(cookie), JSON.stringify(['http', 'read-only', null, ['a=1'], null, []]));
  t.equal(
    named(cookie, {}, { facts: factsOf({ secure: true }, cookie) }),
    JSON.stringify(['https', 'read-only', null, ['a=1'], null, []]),
  );
  t.equal(
    named([...cookie, 'Authorization', 'Bearer x'], { authorization: PASS }),
    JSON.stringify(['http', 'read-only', null, ['a=1'], 'Bearer x', []]),
  );
  t.equal(named([...cookie, 'X-A', '1']), named(cookie), 'of one holder no other field does');
  const literal = { kind: 'literal', value: 'Bearer up' } as const;
  t.equal(
    named(cookie, { authorization: { basic: literal, bearer: literal, places: [] } }),
    JSON.stringify(['http', 'read-only', null, ['a=1'], 'Bearer up', []]),
  );
  t.equal(named([], {}, { identity: null }), JSON.stringify(['http', null, null, [], null, []]));
});

t.test('two routes to one path of two backends have answers of their own', async (t) => {
  const at = (upstream: string) => shapeOf(onRoute({ upstream }));
  t.equal(at('http://a.test'), JSON.stringify(['http', 'read-only', 'http://a.test', [], null, []]));
  t.not(at('http://a.test'), at('http://b.test'));
});

t.test('where callers may show what the backend gets, what they show shapes the answer', async (t) => {
  const strip = { kind: 'strip' } as const;
  const literal = { kind: 'literal', value: 'Basic up' } as const;
  const shape = (api: Partial<ApiRules>, fields: string[]) => shapeOf(onRoute({}, { fields }, api));
  const one: Partial<ApiRules> = { authorization: { basic: strip, bearer: strip, places: [] } };
  t.equal(shape(one, ['Authorization', 'Bearer a']), shape(one, ['Authorization', 'Basic b']));
  const passing = { kind: 'pass' } as const;
  const passed: Partial<ApiRules> = { authorization: { basic: passing, bearer: passing, places: [] } };
  t.not(shape(passed, ['Authorization', 'Bearer a']), shape(passed, ['Authorization', 'Bearer b']), 'which it gets');
  const two: Partial<ApiRules> = { authorization: { basic: literal, bearer: strip, places: [] } };
  t.not(shape(two, ['Authorization', 'Basic YTpi']), shape(two, ['Authorization', 'Bearer a']), 'by how it is shown');
  const field: Partial<ApiRules> = {
    ...one,
    credential: [{ kind: 'header', name: 'x-api-key' }],
    credentialFields: ['x-api-key'],
    authorization: { basic: strip, bearer: strip, places: [{ kind: 'pass' }] },
  };
  t.not(shape(field, ['X-Api-Key', 'a']), shape(field, ['X-Api-Key', 'b']));
});

t.test('the scheme is that of a trusted proxy, and of nobody else', async (t) => {
  const fields = ['X-Forwarded-Proto', 'https'];
  const shape = (fromTrustedProxy: boolean) =>
    shapeOf({ ...onRoute({}, { fields }), client: { fromTrustedProxy } as never });
  t.same([shape(true), shape(false)], ['https read-only', 'http read-only']);
});

t.test('one type and one coding are no reason not to keep an answer', async (t) => {
  const fields = ['Content-Type', 'a/a', 'Content-Encoding', 'gzip'];
  t.equal(mayBeCached(onRoute({ cacheMinutes: 2 }, { fields })), true);
  const holder = key('k', { type: 'read-only', cacheTtlMs: 7 });
  t.equal(freshMsOf(onRoute({ cacheMinutes: 2 }, { holder })), 120_000, 'the route says first');
  t.equal(freshMsOf(onRoute({}, { holder })), 7);
  t.equal(freshMsOf(onRoute({})), null);
});

/** Written out: what is not on this list shapes what strangers are given, each for himself. */
const HARMLESS = `
  host authorization cookie content-type content-encoding content-length transfer-encoding connection keep-alive te expect upgrade
  upgrade-insecure-requests priority dnt cache-control pragma accept-encoding user-agent referer save-data x-forwarded-for
  x-forwarded-proto x-forwarded-host x-real-ip forwarded true-client-ip cf-connecting-ip cf-ray cdn-loop via x-amz-cf-id
  x-amzn-trace-id x-cloud-trace-context x-request-id x-correlation-id traceparent tracestate baggage sentry-trace uber-trace-id b3
  x-b3-traceid x-b3-spanid x-b3-parentspanid x-b3-sampled x-datadog-trace-id x-datadog-parent-id x-datadog-sampling-priority
  x-datadog-origin x-datadog-tags newrelic sec-fetch-mode sec-fetch-site sec-ch-ua sec-gpc sec-purpose`;

t.test('the fields of strangers that are known to be harmless, and none that is called alike', async (t) => {
  const shape = (name: string) =>
    shapeOf({ ...onRoute({}, { holder: key('k') }), facts: { ...factsOf({}), rawHeaders: ['Host', 'a', name, 'x'] } });
  const none = shape('Host');
  const names = HARMLESS.trim().split(/\s+/);
  for (const name of names) t.equal(shape(name), none, name);
  for (const name of names)
    t.not(shape(`${name.startsWith('sec-fetch') || name.startsWith('sec-ch') ? 'x-' : ''}${name}x`), none, `${name}x`);
});

t.test('of nobody and of no route that says so an answer is not kept', async (t) => {
  t.equal(freshMsOf({ ...onRoute({}), identity: null }), null);
});
