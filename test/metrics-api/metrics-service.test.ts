import { randomBytes } from 'node:crypto';
import t from 'tap';
import type { ApiConfig, CacheConfig } from '../../src/config/apis-schema.ts';
import { createMemoryStore } from '../../src/metrics-api/memory-store.ts';
import { createMetricsServices } from '../../src/metrics-api/metrics-service.ts';
import { ShownCredential } from '../../src/policy/shown-credential.ts';
import { Client, fakeUpstream, settled } from './support/fake-upstream.ts';
import { API_KEY, CLIENT_SECRET, identityOf, metricsKey, NOW, snapshotOf } from './support/metrics-keys.ts';
import { askToken } from './support/token-asking.ts';
import { answerEntry, KEY } from './cache-store-contract.ts';

const TOKEN = { path: '/metrics/auth/token', ttlSeconds: 900, secret: null, privateKeyFile: null, issuer: 'postern' };
const CONFIG = {
  upstream: 'http://127.0.0.1:9001',
  authorization: { kind: 'strip' },
  preserveHost: false,
  routes: null,
  preset: 'userflux',
  hosts: null,
  tls: { caFile: null, insecureSkipVerify: false, serverName: null, certFile: null, keyFile: null },
  keepAliveSeconds: 4,
  token: TOKEN,
  cache: { store: 'memory', maxBytes: 1_000_000, maxEntryBytes: 100_000, staleIfErrorMinutes: 0 },
} as unknown as ApiConfig;

function setUp() {
  const warnings: string[] = [];
  const stores: ReturnType<typeof createMemoryStore>[] = [];
  const services = createMetricsServices({
    createStore: ({ maxBytes }) => {
      stores.push(createMemoryStore({ maxBytes, now: () => NOW }));
      return stores.at(-1) as ReturnType<typeof createMemoryStore>;
    },
    now: () => NOW,
    warn: (warning) => warnings.push(warning),
  });
  return { services, warnings, stores };
}

const HEAD = {
  contentType: 'application/json',
  contentEncoding: undefined,
  authorization: undefined,
  address: '192.0.2.1',
  requestId: 'r1',
  keys: snapshotOf(metricsKey()),
  now: NOW,
};

const bodyOf = (clientSecret: string) => Buffer.from(JSON.stringify({ clientSecret, environmentApiKey: API_KEY }));

t.test('failures counted before a change of the configuration count after it', async (t) => {
  const { services } = setUp();
  for (let n = 0; n < 10; n++) {
    const { endpoint } = services.configure({ ...CONFIG, token: { ...TOKEN, ttlSeconds: 60 + n } });
    t.match(await askToken(endpoint, HEAD, bodyOf('wrong')), { refusal: { code: 'invalid_client' } });
  }
  t.match(await askToken(services.configure(CONFIG).endpoint, HEAD, bodyOf(CLIENT_SECRET)), {
    refusal: { code: 'rate_limited' },
  });
});

t.test('a token of before is one after, as long as nothing was written down to sign with', async (t) => {
  const { services, warnings } = setUp();
  const key = metricsKey();
  const { accessToken } = await services.configure(CONFIG).tokens.issue(identityOf(key), NOW);
  const verdict = async (config: ApiConfig) =>
    (await services.configure(config).tokens.verify(new ShownCredential(accessToken), snapshotOf(key), NOW)).ok;
  t.equal(await verdict(CONFIG), true);
  t.equal(await verdict({ ...CONFIG, token: { ...TOKEN, ttlSeconds: 60 } }), true);
  t.equal(await verdict({ ...CONFIG, token: { ...TOKEN, secret: [randomBytes(32).toString('hex')] } }), false);
  t.equal(await verdict(CONFIG), true, 'and again, when that is taken back');
  t.equal(warnings.length, 1, 'one warning, however often it is configured');
  const other = setUp().services.configure(CONFIG);
  t.match(await other.tokens.verify(new ShownCredential(accessToken), snapshotOf(key), NOW), { ok: false });
});

t.test('answers outlive a change of the configuration, and a purge forgets them', async (t) => {
  const { services, stores } = setUp();
  t.equal(services.cacheStats(), null);
  t.equal(services.cacheShared(), null);
  await services.purge();
  services.configure(CONFIG);
  stores[0]?.set(KEY, answerEntry(), 60_000);
  services.configure({ ...CONFIG, cache: { ...(CONFIG.cache as CacheConfig), maxBytes: 1 } });
  t.equal(stores.length, 1);
  t.equal(services.cacheStats()?.entries, 1);
  await services.purge();
  t.same(services.cacheStats(), { bytes: 0, entries: 0 });
  stores[0]?.set(KEY, answerEntry(), 60_000);
  services.close();
  t.equal(services.cacheStats()?.entries, 0);
});

t.test('an answer outlives a change of what does not shape it, and no other', async (t) => {
  const { services } = setUp();
  const upstream = fakeUpstream();
  /** How often the backend was asked for the one query, under this configuration. */
  const asked = async (config: ApiConfig) => {
    const before = upstream.calls.length;
    const query = { key: metricsKey(), method: 'POST', target: '/metrics/query', contentType: 'application/json' };
    services.configure(config).cache.fetch(
      {
        ...query,
        contentEncoding: undefined,
        cacheControl: undefined,
        body: Buffer.from('{}'),
        headers: () => [],
        send: upstream.send,
      },
      new Client(),
    );
    upstream.calls[before]?.answer('{}');
    await settled();
    return upstream.calls.length - before;
  };
  t.equal(await asked(CONFIG), 1);
  const others: Partial<ApiConfig>[] = [
    { token: { ...TOKEN, ttlSeconds: 60 } },
    { enforcement: 'report' },
    { credential: ['bearer'] },
    { timeoutSeconds: 1 },
    { maxBodyBytes: 1 },
    { maxConnections: 1 },
    { tls: { ...CONFIG.tls, caFile: 'ca.pem' } },
  ];
  for (const change of others) t.equal(await asked({ ...CONFIG, ...change }), 0, Object.keys(change).join());
  const shaping: Partial<ApiConfig>[] = [
    { upstream: 'http://127.0.0.1:9002' },
    { authorization: 'pass' },
    { preserveHost: true },
    { routes: [] },
    { preset: null },
    { hosts: ['metrics.example.com'] },
    { tls: { ...CONFIG.tls, serverName: 'metrics.internal' } },
  ];
  for (const change of shaping) t.equal(await asked({ ...CONFIG, ...change }), 1, Object.keys(change).join());
});
