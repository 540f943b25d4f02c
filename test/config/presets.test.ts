import { readFileSync } from 'node:fs';
import t from 'tap';
import { CredentialSchema } from '../../src/config/credential-schema.ts';
import { defaultsOf, presetOf, PRESETS, type PresetName } from '../../src/config/presets.ts';
import { findRouteProblems } from '../../src/config/route-definition.ts';
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
    ['segment', 'POST', '/v1/import'],
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
