import t from 'tap';
import { ApisSchema, type ApiConfig } from '../../src/config/apis-schema.ts';

const upstream = 'http://127.0.0.1:9000';

/** What is wrong, each as its place and its sentence; nothing when it can be used. */
function wrong(name: string, written: object): string[] {
  const { error } = ApisSchema.safeParse({ [name]: { upstream, ...written } });
  return (error?.issues ?? []).map(({ path, message }) => `${path.slice(1).join('.')}: ${message}`);
}
const integration = (written: object): string[] => wrong('integration', written);
const metrics = (written: object): string[] => wrong('metrics', written);

function parsed(written: object, name = 'integration'): ApiConfig {
  return ApisSchema.parse({ [name]: { upstream, ...written } })[name] as ApiConfig;
}

t.test('a limit holds for the first value beyond it', async (t) => {
  for (const [field, least, most, step] of [
    ['connectTimeoutSeconds', 0.01, 300, 0.001],
    ['timeoutSeconds', 0.01, 3600, 0.001],
    ['idleTimeoutSeconds', 0.01, 3600, 0.001],
    ['maxBodyBytes', 1, 1_073_741_824, 1],
    ['maxConnections', 1, 65_536, 1],
  ] as const) {
    for (const value of [least, most]) t.same(integration({ [field]: value }), [], `${field} ${value}`);
    for (const value of [least - step, most + step, Number.NaN, Infinity, '1', null])
      t.match(integration({ [field]: value }), [new RegExp(`^${field}: must be a`)], `${field} ${value}`);
  }
  for (const value of [null, 1, 128]) t.same(integration({ maxConnectionsPerKey: value }), [], `a share of ${value}`);
  t.match(integration({ maxConnectionsPerKey: 0 }), [/^maxConnectionsPerKey: must be/]);
  t.match(metrics({ maxConnectionsPerKey: 129 }), [/^maxConnectionsPerKey: must not be larger than `maxConnections`/]);
  t.match(integration({ maxConnections: 1.5 }), [/^maxConnections: must be a whole number/]);
  const ttl = (ttlSeconds: number) => metrics({ token: { ttlSeconds } }).length;
  t.same([59, 60, 3600, 3601].map(ttl), [1, 0, 0, 1]);
});

t.test('a key is looked for only in a place that means nothing else', async (t) => {
  for (const place of ['bearer', 'basic-username', 'header:X-Api-Key', 'query:api_key', 'query:$key', 'body:token'])
    t.same(integration({ credential: [place] }), [], place);
  for (const name of ['Authorization', 'HOST', 'content-length', 'Transfer-Encoding', 'connection', 'Origin', 'Cookie'])
    t.match(integration({ credential: ['bearer', `header:${name}`] }), [/^credential\.1: must not be a header/], name);
  for (const place of [
    'Bearer',
    'querykey',
    'header:',
    'header:x y',
    'header:x\r\nhost',
    'query:a&b',
    'body:a.b\n',
    '',
  ])
    t.match(integration({ credential: [place] }), [/^credential\.0: must be bearer/], JSON.stringify(place));
  t.same(parsed({ credential: ['header:X-Key', 'query:Key', 'body:Key'] }).credential, [
    'header:x-key',
    'query:Key',
    'body:Key',
  ]);
});

t.test(
  'the backend gets a word that is known or a whole value as Authorization, never a slip of the pen',
  async (t) => {
    for (const value of ['strip', 'pass', 'Bearer abc', 'Basic dTpw', '${UPSTREAM_KEY}'])
      t.same(integration({ authorization: value }), [], value);
    for (const value of ['PASS', 'past', 'stripp', 'stirp', '', 'Bearer a\r\nHost: b', ' Bearer a', 'Bearer \u00e9'])
      t.equal(integration({ authorization: value }).length, 1, JSON.stringify(value));
  },
);

t.test('routes stand in place of a preset, and without either the usual ones hold', async (t) => {
  const presetOf = (written: object, name?: string) => parsed(written, name).preset;
  t.equal(presetOf({ preset: null, routes: null }), 'userflux');
  t.equal(presetOf({ routes: [] }), null, 'an empty list is a list');
  t.equal(presetOf({ preset: 'segment' }), 'segment');
  t.same(integration({ preset: 'userflux', routes: [] }), ['routes: cannot stand beside `preset`: remove one of them']);
  t.same(metrics({ preset: 'userflux' }), []);
  t.match(metrics({ preset: 'userflux', routes: [] }), [/^routes: cannot stand beside/]);
  t.match(metrics({ preset: 'segment', openapi: 'api.yaml' }), [/^openapi: cannot stand beside `preset`/]);
  t.match(metrics({ routes: [], openapi: 'api.yaml' }), [/^openapi: cannot stand beside `routes`/]);
  t.equal(presetOf({ routes: [] }, 'metrics'), null);
  t.equal(presetOf({ openapi: 'api.yaml' }), null);
  t.equal(presetOf({}, 'orders'), null, 'the usual ones are those of two names alone');
});

t.test('every route that cannot be used is told, each at its place', async (t) => {
  const route = { method: 'POST', path: '/a', events: 'name' };
  t.same(integration({ routes: [route, { method: 'POST', path: '/a/:id', events: 'name', unnamed: 'allow' }] }), []);
  const found = integration({
    routes: [route, { ...route, path: 'b' }, { method: 'POST', path: '/A/', unnamed: 'allow' }],
  });
  t.match(found, [/^routes\.1: .*slash/, /^routes\.2: .*same paths as \/a$/, /^routes\.2\.unnamed/]);
});

t.test('a secret for tokens is long enough in bytes, and stands alone or in a list', async (t) => {
  const of = (secret: unknown) => metrics({ token: { secret } });
  t.same(of('x'.repeat(32)), []);
  t.same(of('\u00e9'.repeat(16)), [], 'bytes, not characters');
  t.same(of(['x'.repeat(32), 'y'.repeat(32)]), []);
  t.same(of(null), []);
  for (const secret of ['x'.repeat(31), '\u00e9'.repeat(15), '', [], ['x'.repeat(32), 'short'], 12_345, { a: 1 }])
    t.equal(of(secret).length, 1, JSON.stringify(secret));
  t.same(metrics({ token: { privateKeyFile: 'key.pem' } }), []);
  t.match(metrics({ token: { secret: 'x'.repeat(32), privateKeyFile: 'key.pem' } }), [/^token\.privateKeyFile: /]);
});

t.test('tokens and a cache stand in any API, and the one named metrics has them without being asked', async (t) => {
  t.same(metrics({ cache: { maxBytes: 5, maxEntryBytes: 5 } }), []);
  t.match(metrics({ cache: { maxBytes: 5, maxEntryBytes: 6 } }), [/^cache\.maxEntryBytes: must not be larger/]);
  t.same(metrics({ cache: { maxBytes: 0, maxEntryBytes: 0 } }), [], 'no cache at all');
  t.match(wrong('orders', { token: {} }), [/^token\.path: is missing/]);
  t.same(wrong('orders', { token: { path: '/orders/token' }, cache: {} }), []);
  t.match(parsed({}, 'metrics'), {
    token: { path: '/metrics/auth/token', ttlSeconds: 900 },
    cache: { store: 'memory' },
  });
  t.same([parsed({}).token, parsed({}).cache], [null, null]);
});

t.test('paths are prefixes that a request could have', async (t) => {
  for (const path of ['/', '/v1', '/v1/', '/v1.0/users', '/a-b_c~d', '/a:b'])
    t.same(integration({ paths: [path] }), [], path);
  for (const path of [
    '',
    'v1',
    '/v1//a',
    '/../a',
    '/a?b',
    '/a%20b',
    '/a#b',
    '/ä',
    '/a\\b',
    '/a;b',
    '/:id',
    '/a/**',
    '/a*',
  ])
    t.match(integration({ paths: [path] }), [/^paths\.0: must be a/], path);
  t.match(integration({ paths: [] }), [/^paths: must name at least one/]);
  t.match(integration({ paths: '/v1' }), [/^paths: must be a list/]);
});

t.test('who is refused or admitted as a whole is said in addresses', async (t) => {
  const entry = { address: '2001:db8::/32', description: 'Office' };
  t.same(integration({ allowFrom: ['203.0.113.0/24', entry], denyFrom: [entry], unlisted: 'refuse' }), []);
  t.match(integration({ allowFrom: ['203.0.113.1/24'] }), [/^allowFrom\.0: is not usable/]);
  t.match(integration({ denyFrom: 'anywhere' }), [/^denyFrom: must be a list/]);
  t.match(integration({ unlisted: 'deny' }), [/^unlisted: /]);
  t.same([parsed({}).allowFrom, parsed({}).denyFrom, parsed({}).unlisted], ['anywhere', [], 'allow']);
});
