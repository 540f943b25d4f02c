import t from 'tap';
import { scopeOf } from '../../src/cache/cache-scope.ts';
import { ApisSchema, type ApiConfig } from '../../src/config/apis-schema.ts';

const BASE = ApisSchema.parse({ orders: { upstream: 'http://127.0.0.1:9001' } })['orders'] as ApiConfig;
const of = (change: Partial<ApiConfig> = {}): string => scopeOf('orders', { ...BASE, ...change });

t.test('answers outlive a change of what does not shape them', async (t) => {
  const others: Partial<ApiConfig>[] = [
    { token: { path: '/t', ttlSeconds: 60, secret: null, privateKeyFile: null, issuer: 'x' } },
    { cache: { store: 'redis', maxBytes: 1, maxEntryBytes: 1, staleIfErrorMinutes: 1 } },
    { enforcement: 'report' },
    { credential: ['query:key'] },
    { unlisted: 'refuse' },
    { allowFrom: [], denyFrom: ['10.0.0.1'] },
    { timeoutSeconds: 1, connectTimeoutSeconds: 1, idleTimeoutSeconds: 1, keepAliveSeconds: 1 },
    { maxBodyBytes: 1, maxConnections: 1, maxConnectionsPerKey: 1 },
    { tls: { ...BASE.tls, caFile: 'ca.pem', keyFile: 'key.pem', insecureSkipVerify: true } },
  ];
  t.match(of(), /^[0-9a-f]{64}$/);
  for (const change of others) t.equal(of(change), of(), Object.keys(change).join());
});

t.test('and no change of what does', async (t) => {
  const shaping: Partial<ApiConfig>[] = [
    { upstream: 'http://127.0.0.1:9002' },
    { authorization: 'pass' },
    { preserveHost: true },
    { routes: [] },
    { preset: 'userflux' },
    { openapi: 'api.yaml' },
    { hosts: ['orders.example.com'] },
    { paths: ['/v1'] },
    { tls: { ...BASE.tls, serverName: 'orders.internal' } },
    { tls: { ...BASE.tls, certFile: 'cert.pem' } },
  ];
  const scopes = [of(), ...shaping.map(of), scopeOf('billing', BASE)];
  t.equal(new Set(scopes).size, scopes.length, 'nor is one API another');
});
