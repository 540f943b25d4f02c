import { readFileSync } from 'node:fs';
import t from 'tap';
import { CredentialSchema } from '../../src/config/credential-schema.ts';
import { defaultsOf, presetOf, PRESETS, type PresetName } from '../../src/config/presets.ts';
import { findRouteProblems, type RouteDefinition } from '../../src/config/route-definition.ts';
import { RoutesSchema } from '../../src/config/route-schema.ts';
import { parseSelector } from '../../src/config/selector.ts';
import { compileRoutes } from '../../src/policy/route.ts';

t.test('every preset lists routes and places as an operator could write them', (t) => {
  for (const name of PRESETS) {
    const { routes, credential } = presetOf(name);
    t.ok(routes.length > 0, name);
    t.strictSame(findRouteProblems(routes), [], name);
    const written = routes.map(({ backend: _backend, ...route }) => route);
    t.equal(RoutesSchema.safeParse(written).error, undefined, name);
    t.same(CredentialSchema.parse(['bearer', ...credential]), defaultsOf(name).credential, name);
  }
  t.end();
});

t.test('a preset names the versions of the clients that prove it', async (t) => {
  for (const name of PRESETS)
    for (const [client, version] of Object.entries(presetOf(name).clients)) {
      const { version: installed } = JSON.parse(readFileSync(`node_modules/${client}/package.json`, 'utf8')) as {
        version: string;
      };
      t.equal(version, installed, client);
    }
});

t.test('what holds without a preset, and what each adds', async (t) => {
  t.same(defaultsOf(null).credential, ['bearer']);
  t.same(defaultsOf('userflux'), defaultsOf(null));
  t.same(defaultsOf('amplitude').credential, ['bearer', 'body:api_key']);
  t.same(defaultsOf('segment').allowedHeaders, [...defaultsOf(null).allowedHeaders, 'x-retry-count']);
  t.same(
    PRESETS.filter((name) => defaultsOf(name).allowCredentials),
    ['mixpanel'],
  );
  t.same(
    PRESETS.filter((name) => presetOf(name).readsStatusInCode),
    ['amplitude'],
  );
});

const EVENT_ROUTES: readonly (readonly [preset: PresetName, path: string, selectors: readonly string[]])[] = [
  ['userflux', '/event/ingest', ['name']],
  ['userflux', '/event/ingest/batch', ['events[].name']],
  ['segment', '/v1/batch', ['batch[].event']],
  ['segment', '/v1/t', ['event']],
  ['rudderstack', '/v1/batch', ['batch[].event']],
  ['rudderstack', '/beacon/v1/batch', ['batch[].event']],
  ['posthog', '/batch/', ['batch[].event', '[].event', 'event']],
  ['posthog', '/e/', ['batch[].event', '[].event', 'event']],
  ['amplitude', '/2/httpapi', ['events[].event_type']],
  ['mixpanel', '/track/', ['[].event', 'event']],
  ['mixpanel', '/import', ['[].event', 'event']],
];
for (const [preset, path, selectors] of EVENT_ROUTES) {
  const route = compileRoutes(presetOf(preset).routes).match('POST', path)?.route;
  t.strictSame(route?.events?.selectors, selectors.map(parseSelector), `${preset} ${path}`);
}

t.test('calls of another kind pass, unless they say that they are events', async (t) => {
  for (const [preset, path, kind] of [
    ['segment', '/v1/i', 'identify'],
    ['segment', '/v1/page', 'page'],
    ['rudderstack', '/v1/identify', 'identify'],
    ['rudderstack', '/v1/alias', 'alias'],
  ] as const)
    t.match(compileRoutes(presetOf(preset).routes).match('POST', path)?.route.events?.when, {
      member: 'type',
      is: ['track'],
      pass: [kind],
    });
});

t.test('routes on which a backend might read events unseen are not listed', (t) => {
  const unlisted: readonly (readonly [PresetName, string, string])[] = [
    ['segment', 'GET', '/v1/pixel/track'],
    ['rudderstack', 'POST', '/v1/import'],
    ['rudderstack', 'GET', '/pixel/v1/track'],
    ['posthog', 'GET', '/e/'],
    ['posthog', 'GET', '/batch'],
    ['posthog', 'POST', '/engage'],
    ['posthog', 'POST', '/track'],
    ['amplitude', 'POST', '/httpapi'],
    ['amplitude', 'POST', '/identify'],
    ['mixpanel', 'GET', '/track'],
    ['mixpanel', 'GET', '/import'],
  ];
  for (const [preset, method, path] of unlisted)
    t.equal(compileRoutes(presetOf(preset).routes).match(method, path), null, `${preset} ${method} ${path}`);
  t.end();
});

t.test('or listed for their forms alone', async (t) => {
  for (const [preset, path] of [
    ['posthog', '/decide'],
    ['posthog', '/i/v1/logs'],
    ['posthog', '/i/v0/ai'],
    ['mixpanel', '/record'],
  ] as const) {
    const route = compileRoutes(presetOf(preset).routes).match('POST', path)?.route;
    t.equal(route?.events, null, path);
    t.equal(route?.backend.unseen, true, path);
  }
});

t.test('no parameter that can hold events is listed', async (t) => {
  const listed = PRESETS.flatMap((name) => presetOf(name).routes.flatMap(({ query = [] }) => query));
  for (const name of ['data', 'event', 'events', 'batch', 'compression', 'compression=lz64', 'name', '_method'])
    t.notOk(listed.includes(name), name);
});

t.test('what needs no key is read alone, and what pages may read is too', async (t) => {
  for (const name of PRESETS)
    for (const route of presetOf(name).routes)
      if (route.public === true || route.pages === true) {
        t.equal(route.method, 'GET', route.path);
        t.equal(route.events, undefined, route.path);
      }
});

t.test('the metrics API is the one of userflux', (t) => {
  for (const name of PRESETS)
    t.equal(
      presetOf(name).routes.filter(({ path }) => path.startsWith('/metrics')).length,
      name === 'userflux' ? 3 : 0,
      name,
    );
  t.end();
});

const CAPTURE =
  'events batch[].event | [].event | event; query _,ip,v,ver,sent_at,beacon,retry_count,compression=gzip-js,compression=gzip,compression=base64; form data; gzip; base64';
const TRACK = 'events [].event | event; query _,ip,verbose,test,strict,project_id; form data; base64';
const MIXED = 'events batch[].event; unnamed allow';

/** Each route in a line: how it is called, and whatever else is said of it. */
const ROUTES: Readonly<Record<PresetName, string>> = {
  userflux: `
    POST /event/ingest; events name; query locationEnrichment; containers events
    POST /event/ingest/batch; events events[].name; query locationEnrichment
    POST /profile
    GET /profile/:userId
    POST /workflow/trigger
    POST /product
    DELETE /product/:typeId/:productId
    POST /metrics/auth/token
    POST /metrics/query
    POST /metrics/query/:metricId`,
  segment: `
    POST /v1/batch; ${MIXED}; containers batch,events,data
    POST /v1/b; ${MIXED}; containers batch,events,data
    POST /v1/t; events event; containers batch,events,data
    POST /v1/i; events event; when type is track, pass identify; containers batch,events,data; kindInPath
    POST /v1/p; events event; when type is track, pass page; containers batch,events,data; kindInPath
    POST /v1/s; events event; when type is track, pass screen; containers batch,events,data; kindInPath
    POST /v1/g; events event; when type is track, pass group; containers batch,events,data; kindInPath
    POST /v1/a; events event; when type is track, pass alias; containers batch,events,data; kindInPath
    GET /v1/projects/:writeKey/settings; public; keyInPath
    POST /v1/import; ${MIXED}; containers batch,events,data
    POST /v1/track; events event; containers batch,events,data
    POST /v1/identify; events event; when type is track, pass identify; containers batch,events,data; kindInPath
    POST /v1/page; events event; when type is track, pass page; containers batch,events,data; kindInPath
    POST /v1/screen; events event; when type is track, pass screen; containers batch,events,data; kindInPath
    POST /v1/group; events event; when type is track, pass group; containers batch,events,data; kindInPath
    POST /v1/alias; events event; when type is track, pass alias; containers batch,events,data; kindInPath`,
  rudderstack: `
    POST /v1/batch; ${MIXED}; form data; containers batch,events,data
    POST /v1/track; events event; containers batch,events,data
    POST /v1/identify; events event; when type is track, pass identify; containers batch,events,data; kindInPath
    POST /v1/page; events event; when type is track, pass page; containers batch,events,data; kindInPath
    POST /v1/screen; events event; when type is track, pass screen; containers batch,events,data; kindInPath
    POST /v1/group; events event; when type is track, pass group; containers batch,events,data; kindInPath
    POST /v1/alias; events event; when type is track, pass alias; containers batch,events,data; kindInPath
    POST /beacon/v1/batch; ${MIXED}; containers batch,events,data
    GET /sourceConfig; pages`,
  posthog: `
    POST /batch; ${CAPTURE}; containers batch,events,data
    POST /i/v1/analytics/events; ${CAPTURE}; containers batch,events,data
    POST /i/v0/ai/batch; ${CAPTURE}; containers batch,events,data
    POST /e; ${CAPTURE}; containers batch,events,data
    POST /i/v0/e; ${CAPTURE}; containers batch,events,data
    POST /s; ${CAPTURE}; containers batch,events,data
    POST /capture; ${CAPTURE}; containers batch,events,data
    POST /flags; form data; gzip
    GET /flags/definitions
    GET /array/:token/config; public; keyInPath
    GET /array/:token/config.js; public; keyInPath
    GET /static/**; public
    GET /api/surveys; pages
    GET /api/product_tours; pages
    GET /api/web_experiments; pages
    GET /api/early_access_features; pages
    POST /decide; form data; gzip; unseen
    POST /i/v1/logs; form data; gzip; unseen
    POST /i/v1/metrics; form data; gzip; unseen
    POST /i/v0/ai; forms; unseen; opaque`,
  amplitude: `
    POST /2/httpapi; events events[].event_type; containers batch,events,data
    POST /batch; events events[].event_type; containers batch,events,data`,
  mixpanel: `
    POST /track; ${TRACK}; containers batch,events,data
    POST /import; ${TRACK}; containers batch,events,data
    POST /engage; form data
    POST /groups; form data
    GET /flags; pages
    GET /settings; pages
    POST /record; unseen; opaque`,
};

function lineOf(route: RouteDefinition): string {
  const { method, path, when, backend, ...said } = route;
  const kinds = when && { when: `${when.member} is ${when.is.join()}, pass ${when.pass.join()}` };
  const parts = Object.entries({ ...said, ...kinds, ...backend }).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const text = name === 'events' ? [value].flat().join(' | ') : [value].flat().join();
    return [value === true ? name : `${name} ${text}`];
  });
  const order = ['events', 'unnamed', 'when', 'query', 'form ', 'gzip', 'base64'];
  const rank = (part: string): number => (order.findIndex((name) => part.startsWith(name)) + 99) % 99;
  return [`${method} ${path}`, ...parts.toSorted((a, b) => rank(a) - rank(b))].join('; ');
}

t.test('what each preset says, in full', async (t) => {
  t.same(PRESETS, Object.keys(ROUTES));
  for (const name of PRESETS)
    t.same(
      presetOf(name).routes.map(lineOf),
      ROUTES[name]
        .split('\n')
        .slice(1)
        .map((line) => line.trim()),
      name,
    );
  t.same(Object.fromEntries(PRESETS.map((name) => [name, presetOf(name).credential])), {
    userflux: [],
    segment: ['basic-username', 'body:writeKey', 'body:batch/[]/writeKey'],
    rudderstack: ['basic-username', 'query:writeKey'],
    posthog: [
      'body:api_key',
      'body:token',
      'query:token',
      'body:[]/properties/token',
      'body:batch/[]/properties/token',
      'body:properties/token',
    ],
    amplitude: ['body:api_key'],
    mixpanel: [
      'basic-username',
      'query:api_key',
      'query:token',
      'body:[]/properties/token',
      'body:properties/token',
      'body:[]/$token',
      'body:$token',
    ],
  });
  t.same(Object.fromEntries(PRESETS.map((name) => [name, presetOf(name).headers])), {
    userflux: [],
    segment: ['x-retry-count'],
    rudderstack: [
      'anonymousid',
      'sentat',
      'rsa-retry-attempt',
      'rsa-retry-reason',
      'rsa-since-first-attempt',
      'rsa-since-last-attempt',
    ],
    posthog: [],
    amplitude: [],
    mixpanel: ['traceparent'],
  });
  t.same(defaultsOf(null).allowedHeaders, ['authorization', 'content-type', 'content-encoding', 'x-request-id']);
});
