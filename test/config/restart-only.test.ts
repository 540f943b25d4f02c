import t from 'tap';
import { restartOnlyChanges, withBootSettings } from '../../src/config/restart-only.ts';
import { ConfigSchema } from '../../src/config/schema.ts';

const upstream = 'http://127.0.0.1:9000';
const base = { apis: { integration: { upstream }, metrics: { upstream } } };
const changes = (wanted: object, running: object = {}): string[] =>
  restartOnlyChanges(ConfigSchema.parse({ ...base, ...running }), ConfigSchema.parse({ ...base, ...wanted }));

t.same(changes({}), []);
t.same(changes({ listen: { port: 1, trustedProxies: ['10.0.0.1'] } }), ['listen.port', 'listen.trustedProxies']);
t.same(changes({ admin: { token: 'x', hosts: ['a'] } }), ['admin.hosts']);
const pair = { certFile: 'a', keyFile: 'b' };
const renamed = { certFile: 'c', keyFile: 'd' };
const mutual = { ...renamed, clientCaFile: 'e' };
t.same(changes({ listen: { tls: pair } }), ['listen.tls']);
t.same(changes({ listen: { tls: renamed } }, { listen: { tls: pair } }), [], 'other files take effect at once');
t.same(changes({ listen: { tls: { ...mutual, clientCaFile: 'f' } } }, { listen: { tls: mutual } }), []);
t.same(changes({ listen: { tls: mutual } }, { listen: { tls: renamed } }), ['listen.tls.clientCaFile']);
t.same(changes({ listen: { tls: renamed } }, { listen: { tls: mutual } }), ['listen.tls.clientCaFile']);
t.same(changes({ admin: { tls: pair } }), ['admin.tls']);
t.same(changes({ admin: { tls: renamed } }, { admin: { tls: pair } }), []);

t.test('files of certificates are those that are wanted, as far as the open port can have them', async (t) => {
  const parse = (listen: object | null, admin: object | null) =>
    ConfigSchema.parse({ ...base, listen: { tls: listen }, admin: { tls: admin } });
  const next = (running: ReturnType<typeof parse>, wanted: ReturnType<typeof parse>) => {
    const { listen, admin } = withBootSettings(running, wanted);
    return [listen.tls, admin.tls];
  };
  t.same(next(parse(pair, pair), parse(renamed, renamed)), [{ ...renamed, clientCaFile: null }, renamed]);
  t.same(next(parse(pair, null), parse(mutual, pair)), [{ ...pair, clientCaFile: null }, null]);
  t.same(next(parse(mutual, pair), parse(null, null)), [mutual, pair], 'nobody stops asking without being restarted');
});
t.same(changes({ keys: { source: 'redis' }, rateLimit: { store: 'redis' } }), ['keys.source', 'rateLimit.store']);
t.same(changes({ redis: { url: 'redis://b' } }), ['redis.url']);
const withCache = (cache: object): object => ({ apis: { ...base.apis, metrics: { upstream, cache } } });
t.same(changes(withCache({ store: 'redis', maxBytes: 2_000_000, maxEntryBytes: 5000, staleIfErrorMinutes: 1 })), [
  'apis.metrics.cache.store',
  'apis.metrics.cache.maxBytes',
]);
t.same(changes({ apis: { integration: { upstream: 'http://b' } }, log: { level: 'warn' } }), [], 'the rest reloads');

t.test('what waits for a restart stays as it runs', async (t) => {
  const running = ConfigSchema.parse(base);
  const wanted = ConfigSchema.parse({
    ...withCache({ store: 'redis', maxBytes: 2_000_000, maxEntryBytes: 5000 }),
    listen: { port: 1 },
    keys: { source: 'redis' },
    log: { level: 'warn' },
  });
  const next = withBootSettings(running, wanted);
  t.same(restartOnlyChanges(running, next), []);
  t.equal(next.apis.metrics?.cache?.maxEntryBytes, 5000);
  t.equal(next.log.level, 'warn');
  const { metrics: _, ...others } = running.apis;
  t.same(
    withBootSettings({ ...running, apis: others }, wanted).apis,
    wanted.apis,
    'an API that is new begins as wanted',
  );
});

t.test('what waits for a restart waits in every API that has a cache already', async (t) => {
  const orders = (cache: object | null) => ({ apis: { orders: { upstream, cache } } });
  t.same(changes(orders({ store: 'redis', maxBytes: 2_000_000 }), orders({})), [
    'apis.orders.cache.store',
    'apis.orders.cache.maxBytes',
  ]);
  t.same(changes(orders({ store: 'redis' }), orders(null)), [], 'one that is new begins as wanted');
});

t.test('each field that waits for a restart is named, alone', async (t) => {
  const fields: readonly (readonly [name: string, wanted: object])[] = [
    ['listen.host', { listen: { host: '127.0.0.2' } }],
    ['listen.port', { listen: { port: 1 } }],
    ['listen.trustedProxies', { listen: { trustedProxies: ['10.0.0.1'] } }],
    ['listen.requestTimeoutSeconds', { listen: { requestTimeoutSeconds: 29 } }],
    ['listen.headersTimeoutSeconds', { listen: { headersTimeoutSeconds: 9 } }],
    ['listen.maxHeaderBytes', { listen: { maxHeaderBytes: 8192 } }],
    ['listen.keepAliveTimeoutSeconds', { listen: { keepAliveTimeoutSeconds: 74 } }],
    ['listen.shutdownGraceSeconds', { listen: { shutdownGraceSeconds: 29 } }],
    ['listen.allowPathQuirks', { listen: { allowPathQuirks: ['semicolon'] } }],
    ['listen.maxConnections', { listen: { maxConnections: 1 } }],
    ['listen.maxRequestsInFlight', { listen: { maxRequestsInFlight: 1 } }],
    ['listen.maxBodyBytesInFlight', { listen: { maxBodyBytesInFlight: 65_536 } }],
    ['admin.host', { admin: { host: '127.0.0.2' } }],
    ['admin.port', { admin: { port: 1 } }],
    ['admin.hosts', { admin: { hosts: ['a'] } }],
    ['keys.source', { keys: { source: 'redis' } }],
    ['keys.file', { keys: { file: 'other.yaml' } }],
    ['redis.url', { redis: { url: 'redis://b' } }],
    ['redis.username', { redis: { username: 'u' } }],
    ['redis.password', { redis: { password: 'p' } }],
    ['redis.prefix', { redis: { prefix: 'x:' } }],
    ['redis.pollSeconds', { redis: { pollSeconds: 1 } }],
    ['rateLimit.store', { rateLimit: { store: 'redis' } }],
    ['apis.metrics.cache.store', withCache({ store: 'redis' })],
    ['apis.metrics.cache.maxBytes', withCache({ maxBytes: 2_000_000 })],
  ];
  for (const [name, wanted] of fields) {
    t.same(changes(wanted), [name]);
    const running = ConfigSchema.parse(base);
    const next = withBootSettings(running, ConfigSchema.parse({ ...base, ...wanted }));
    t.same(next, running, `${name} stays as it runs`);
  }
});

t.test('each field that takes effect at a reload is not named, and is not held back', async (t) => {
  const api = (change: object): object => ({ apis: { ...base.apis, integration: { upstream, ...change } } });
  const metrics = (change: object): object => ({ apis: { ...base.apis, metrics: { upstream, ...change } } });
  for (const wanted of [
    ...[{ upstream: 'http://b' }, { hosts: ['a'] }, { authorization: 'pass' }, { preserveHost: true }].map(api),
    ...[{ timeoutSeconds: 1 }, { maxBodyBytes: 1 }, { maxConnections: 1 }, { enforcement: 'report' }].map(api),
    ...[{ cors: { maxAgeSeconds: 1 } }, { routes: [] }, { preset: 'segment' }, { credential: ['query:k'] }].map(api),
    ...[{ paths: ['/v1'] }, { allowFrom: [] }, { denyFrom: ['10.0.0.1'] }, { unlisted: 'refuse' }].map(api),
    { listen: { denyFrom: ['10.0.0.1'] } },
    { admin: { token: 'x' } },
    { admin: { tokens: [{ id: 'anna', value: 'x', role: 'viewer' }] } },
    { apis: { ...base.apis, constructor: { upstream, paths: ['/c'], cache: {} } } },
    { apis: { integration: { upstream } } },
    ...[{ token: { ttlSeconds: 60 } }, { cache: { maxEntryBytes: 1 } }, { cache: { staleIfErrorMinutes: 1 } }].map(
      metrics,
    ),
    { log: { level: 'warn' } },
    { log: { requests: 'all' } },
  ]) {
    t.same(changes(wanted), [], JSON.stringify(wanted));
    const parsed = ConfigSchema.parse({ ...base, ...wanted });
    t.same(withBootSettings(ConfigSchema.parse(base), parsed), parsed, JSON.stringify(wanted));
  }
});
