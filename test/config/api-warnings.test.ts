import t from 'tap';
import { apiWarnings } from '../../src/config/api-warnings.ts';
import { PRESETS } from '../../src/config/presets.ts';
import { ConfigSchema } from '../../src/config/schema.ts';

const upstream = 'http://127.0.0.1:9000';

const warningsOf = (apis: Record<string, Record<string, unknown>>): string[] => {
  const written = Object.entries(apis).map(([name, api]) => [name, { upstream, ...api }]);
  return apiWarnings(ConfigSchema.parse({ apis: Object.fromEntries(written) as unknown }).apis).map(
    ({ path, message }) => `${path.join('.')} ${message}`,
  );
};

t.test('a preset alone is right, and so are its places with others of an API of one\u2019s own', async (t) => {
  for (const preset of PRESETS) t.same(warningsOf({ integration: { preset } }), [], preset);
  t.same(warningsOf({ integration: { credential: ['bearer', 'header:x-api-key', 'query:key'] } }), []);
  t.same(warningsOf({ own: { routes: [], credential: ['header:x-api-key'] } }), []);
});

t.test('a place that the clients of the preset do not use, and one that they use and that is missing', async (t) => {
  t.same(warningsOf({ integration: { preset: 'amplitude', credential: ['body:api_key', 'header:x-api-key'] } }), [
    'apis.integration.credential.1 is header:x-api-key, where no client of amplitude puts a key',
  ]);
  t.same(warningsOf({ integration: { preset: 'segment', credential: ['bearer', 'basic-username'] } }), [
    'apis.integration.credential lacks "body:writeKey", "body:batch/[]/writeKey", where clients of segment put the key; it would reach the backend',
  ]);
});

t.test('a route that no request reaches', async (t) => {
  const routes = [
    { method: 'GET', path: '/metrics/daily' },
    { method: 'GET', path: '/Metrics' },
    { method: 'GET', path: '/metrics-of-old' },
  ];
  const none = 'is reached by no request: `paths` does not hold it; `paths: ["/"]` does';
  t.same(warningsOf({ integration: { routes } }), [
    `apis.integration.routes.0.path ${none}`,
    `apis.integration.routes.1.path ${none}`,
  ]);
  t.same(warningsOf({ integration: { routes, paths: ['/'] } }), []);
  t.same(warningsOf({ integration: { routes, enforcement: 'report' } }), []);
  const taken = 'is reached by no request: `apis.metrics` takes its path';
  t.same(warningsOf({ integration: { routes, paths: ['/'] }, metrics: {} }), [
    `apis.integration.routes.0.path ${taken}`,
    `apis.integration.routes.1.path ${taken}`,
  ]);
  t.same(warningsOf({ integration: { routes, paths: ['/'] }, metrics: { hosts: ['metrics.example.com'] } }), []);
  t.same(warningsOf({ orders: { paths: ['/v1'], routes: [{ method: 'GET', path: '/v2/orders' }] } }), [
    'apis.orders.routes.0.path is reached by no request: `paths` does not hold it',
  ]);
  const v1 = { paths: ['/v1'], routes: [{ method: 'GET', path: '/v1/orders/:id' }] };
  t.same(warningsOf({ old: v1, orders: { paths: ['/v1/orders'], routes: [] } }), [
    'apis.old.routes.0.path is reached by no request: `apis.orders` takes its path',
  ]);
  t.same(warningsOf({ old: { ...v1, hosts: ['old.example.com'] }, orders: { paths: ['/v1'], routes: [] } }), []);
});

t.test('an API that lets in everybody of one address family alone', async (t) => {
  t.same(warningsOf({ a: { allowFrom: ['0.0.0.0/0', { list: 'office' }] } }), [
    'apis.a.allowFrom holds 0.0.0.0/0 without ::/0: only one of the two families is let in',
  ]);
  t.same(warningsOf({ a: { allowFrom: [{ address: '::/0' }] } }), [
    'apis.a.allowFrom holds ::/0 without 0.0.0.0/0: only one of the two families is let in',
  ]);
  t.same(warningsOf({ a: { allowFrom: ['::/0', '0.0.0.0/0'] } }), []);
  t.same(warningsOf({ a: { allowFrom: ['192.0.2.0/24', 'fd00::/8'] } }), []);
});
