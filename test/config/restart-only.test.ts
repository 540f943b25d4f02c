import t from 'tap';
import { restartOnlyChanges } from '../../src/config/restart-only.ts';
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
t.same(changes({ apis: { ...base.apis, metrics: { upstream, cache: { store: 'redis' } } } }), [
  'apis.metrics.cache.store',
]);
t.same(changes({ apis: { integration: { upstream: 'http://b' } }, log: { level: 'warn' } }), [], 'the rest reloads');
