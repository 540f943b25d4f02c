import t from 'tap';
import { presetRoutes, PRESETS, type PresetName } from '../../src/config/presets.ts';
import { findRouteProblems } from '../../src/config/route-definition.ts';
import { compileRoutes } from '../../src/policy/route.ts';

t.test('every preset lists routes without a problem', (t) => {
  for (const name of PRESETS) {
    t.ok(presetRoutes(name).length > 0, name);
    t.strictSame(findRouteProblems(presetRoutes(name)), [], name);
  }
  t.end();
});

const EVENT_ROUTES: readonly (readonly [preset: PresetName, path: string, selector: object])[] = [
  ['userflux', '/event/ingest', { kind: 'single', member: 'name' }],
  ['userflux', '/event/ingest/batch', { kind: 'batch', container: 'events', member: 'name' }],
  ['segment', '/v1/batch', { kind: 'batch', container: 'batch', member: 'event' }],
  ['rudderstack', '/v1/batch', { kind: 'batch', container: 'batch', member: 'event' }],
  ['posthog', '/batch/', { kind: 'batch', container: 'batch', member: 'event' }],
  ['posthog', '/e/', { kind: 'batch', container: null, member: 'event' }],
  ['amplitude', '/2/httpapi', { kind: 'batch', container: 'events', member: 'event_type' }],
  ['mixpanel', '/import', { kind: 'batch', container: null, member: 'event' }],
];
for (const [preset, path, selector] of EVENT_ROUTES)
  t.strictSame(compileRoutes(presetRoutes(preset)).match('POST', path)?.route.selector, selector, `${preset} ${path}`);

t.test('routes on which a backend might read events unseen are not listed', (t) => {
  const unlisted: readonly (readonly [PresetName, string, string])[] = [
    ['segment', 'POST', '/v1/identify'],
    ['segment', 'POST', '/v1/i'],
    ['rudderstack', 'POST', '/v1/identify'],
    ['mixpanel', 'GET', '/track'],
  ];
  for (const [preset, method, path] of unlisted)
    t.equal(compileRoutes(presetRoutes(preset)).match(method, path), null, `${preset} ${method} ${path}`);
  t.end();
});

t.test('or listed for their forms alone', async (t) => {
  for (const [preset, path] of [
    ['posthog', '/capture/'],
    ['posthog', '/decide'],
    ['mixpanel', '/track'],
  ] as const) {
    const route = compileRoutes(presetRoutes(preset)).match('POST', path)?.route;
    t.match(route, { selector: null, forms: true, backend: { unseen: true } }, `${preset} ${path}`);
  }
});

t.test('no parameter that can hold events is listed', async (t) => {
  const listed = PRESETS.flatMap((name) => presetRoutes(name).flatMap(({ query = [] }) => query));
  for (const name of ['data', 'event', 'events', 'batch', 'compression', 'name', '_method'])
    t.notOk(listed.includes(name), name);
});

t.test('the metrics API is the one of userflux', (t) => {
  for (const name of PRESETS)
    t.equal(
      presetRoutes(name).filter(({ path }) => path.startsWith('/metrics')).length,
      name === 'userflux' ? 3 : 0,
      name,
    );
  t.end();
});
