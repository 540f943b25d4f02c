import t from 'tap';
import { restartOnlyChanges, withBootSettings } from '../../src/config/restart-only.ts';
import { ConfigSchema } from '../../src/config/schema.ts';

const upstream = 'http://127.0.0.1:9000';
const base = { apis: { integration: { upstream }, metrics: { upstream } } };
const changes = (wanted: object, running: object = {}): string[] =>
  restartOnlyChanges(ConfigSchema.parse({ ...base, ...running }), ConfigSchema.parse({ ...base, ...wanted }));

t.same(changes({}), []);
t.same(changes({ listen: { port: 1, trustedProxies: ['10.0.0.1'] } }), ['listen.port', 'listen.trustedProxies']);
t.same(changes({ admin: { token: 'x', hosts: ['a'] } }), ['admin.token', 'admin.hosts']);
t.same(changes({ listen: { tls: { certFile: 'a', keyFile: 'b' } } }), ['listen.tls']);
t.same(
  changes({ listen: { tls: { certFile: 'a', keyFile: 'b' } } }, { listen: { tls: { certFile: 'a', keyFile: 'c' } } }),
  ['listen.tls.keyFile'],
);
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
    ...{ listen: { port: 1 }, keys: { source: 'redis' }, log: { level: 'warn' } },
  });
  const next = withBootSettings(running, wanted);
  t.same(restartOnlyChanges(running, next), []);
  t.equal(next.apis.metrics?.cache.maxEntryBytes, 5000);
  t.equal(next.log.level, 'warn');
  const { metrics: _, ...others } = running.apis;
  t.same(
    withBootSettings({ ...running, apis: others }, wanted).apis,
    wanted.apis,
    'an API that is new begins as wanted',
  );
});
