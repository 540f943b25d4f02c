import t, { type Test } from 'tap';
import { ConfigSchema, DEFAULT_REDIS_URL } from '../../src/config/schema.ts';

const upstream = 'http://127.0.0.1:9000';

t.test('the data port is a host and port, or a socket alone', (t) => {
  const place = (listen: object) => {
    const { host, port, path } = ConfigSchema.parse({ apis: { integration: { upstream: 'http://a' } }, listen }).listen;
    return [host, port, path];
  };
  t.same(place({}), ['0.0.0.0', 8080, null]);
  t.same(place({ port: 1 }), ['0.0.0.0', 1, null]);
  t.same(place({ path: null, host: '::1', port: 1 }), ['::1', 1, null]);
  t.same(place({ path: '/run/a.sock' }), [null, null, '/run/a.sock']);
  t.end();
});

t.test('the admin port is another one than the data port, where one address has both', async (t) => {
  const takes = (listen: object, host: string, port = 7000): boolean =>
    ConfigSchema.safeParse({ apis: { integration: { upstream } }, listen, admin: { host, port } }).success;
  const at = (host: string) => ({ host, port: 7000 });
  for (const [data, admin] of [
    ['127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '127.0.0.1'],
    ['127.0.0.1', '0.0.0.0'],
    ['::', '127.0.0.1'],
    ['::1', '::'],
    ['localhost', 'localhost'],
  ] as const)
    t.equal(takes(at(data), admin), false, `${data} ${admin}`);
  for (const [data, admin] of [
    ['127.0.0.1', '127.0.0.2'],
    ['0.0.0.0', '::1'],
    ['0.0.0.0', 'localhost'],
    ['::1', '127.0.0.1'],
  ] as const)
    t.equal(takes(at(data), admin), true, `${data} ${admin}`);
  t.equal(takes(at('127.0.0.1'), '127.0.0.1', 7001), true);
  t.equal(takes({ host: '127.0.0.1', port: 0 }, '127.0.0.1', 0), true, 'each takes a free one');
  t.equal(takes({ path: '/run/a.sock' }, '0.0.0.0', 8080), true, 'a socket takes no port');
});

t.test('every default', async (t) => {
  const config = ConfigSchema.parse({ apis: { integration: { upstream }, metrics: { upstream } } });
  const api = {
    upstream,
    paths: null,
    preset: 'userflux',
    openapi: null,
    unlisted: 'allow',
    allowFrom: 'anywhere',
    denyFrom: [],
    token: null,
    cache: null,
    routes: null,
    credential: ['bearer'],
    hosts: [],
    authorization: 'strip',
    preserveHost: false,
    connectTimeoutSeconds: 2,
    timeoutSeconds: 30,
    idleTimeoutSeconds: 60,
    maxBodyBytes: 1048576,
    maxConnections: 128,
    maxConnectionsPerKey: null,
    keepAliveSeconds: 4,
    tls: { caFile: null, insecureSkipVerify: false, serverName: null, certFile: null, keyFile: null },
    cors: {
      allowedHeaders: ['authorization', 'content-type', 'content-encoding', 'x-request-id'],
      maxAgeSeconds: 7200,
      allowCredentials: false,
    },
    enforcement: 'enforce',
  };
  t.strictSame(config, {
    listen: {
      host: '0.0.0.0',
      port: 8080,
      path: null,
      reusePort: false,
      trustedProxies: [],
      denyFrom: [],
      proxyProtocol: false,
      tls: null,
      requestTimeoutSeconds: 30,
      headersTimeoutSeconds: 10,
      maxHeaderBytes: 16384,
      keepAliveTimeoutSeconds: 75,
      shutdownGraceSeconds: 30,
      allowPathQuirks: [],
      maxConnections: 10000,
      maxRequestsInFlight: 4096,
      maxBodyBytesInFlight: null,
    },
    admin: { host: '127.0.0.1', port: 9090, token: null, tokens: [], tls: null, hosts: [] },
    apis: {
      integration: api,
      metrics: {
        ...api,
        token: { path: '/metrics/auth/token', ttlSeconds: 900, secret: null, privateKeyFile: null, issuer: 'postern' },
        cache: { store: 'memory', maxBytes: 67108864, maxEntryBytes: 1048576, staleIfErrorMinutes: 0 },
      },
    },
    keys: { source: 'file', file: 'keys.yaml' },
    redis: {
      url: 'redis://127.0.0.1:6379',
      cluster: null,
      sentinel: null,
      username: null,
      password: null,
      tls: null,
      prefix: 'postern:',
      pollSeconds: 2,
    },
    rateLimit: { store: 'memory' },
    observe: { enabled: false, days: 30, store: 'memory' },
    log: { level: 'info', requests: 'rejections', sample: 1 },
  });
});

t.test('either API alone', async (t) => {
  t.same(Object.keys(ConfigSchema.parse({ apis: { integration: { upstream } } }).apis), ['integration']);
  t.same(Object.keys(ConfigSchema.parse({ apis: { metrics: { upstream } } }).apis), ['metrics']);
});

t.test('routes stand in place of the preset', async (t) => {
  const routes = [
    {
      method: 'POST',
      path: '/v1/batch',
      events: 'batch[].event',
      unnamed: 'allow',
      when: { member: 'type', is: ['track'], pass: ['page'] },
      form: 'data',
      gzip: true,
      query: ['ip'],
      forms: true,
      rewrite: '/v1/import',
      public: false,
      pages: false,
      cacheMinutes: null,
      maxBodyBytes: 50_000_000,
      timeoutSeconds: 120,
      idleTimeoutSeconds: 90,
      upstream: 'http://files:8080',
    },
  ];
  const { integration } = ConfigSchema.parse({ apis: { integration: { upstream, routes } } }).apis;
  t.equal(integration?.preset, null);
  t.same(integration?.routes, routes);
});

t.test('redis: the default URL holds only while nothing else is given', async (t) => {
  const redis = (written: object) => ConfigSchema.parse({ apis: { integration: { upstream } }, redis: written }).redis;
  t.equal(redis({}).url, DEFAULT_REDIS_URL);
  t.equal(redis({ cluster: ['redis://a'], prefix: '{postern}:' }).url, null);
  t.equal(redis({ sentinel: { name: 'm', urls: ['redis://a:26379'] } }).url, null);
  t.same(redis({ tls: true }).tls, { caFile: null, serverName: null, insecureSkipVerify: false });
  t.equal(redis({ tls: false }).tls, null);
  t.same(redis({ tls: { caFile: 'ca.pem' } }).tls, { caFile: 'ca.pem', serverName: null, insecureSkipVerify: false });
});

t.test('what is written in several ways has one form', async (t) => {
  const secret = '0123456789abcdef0123456789abcdef';
  const config = ConfigSchema.parse({
    apis: {
      integration: {
        upstream: 'HTTP://LocalHost:80/',
        hosts: ['API.Example.com', '[::1]'],
        credential: ['header:X-API-Key', 'query:API_KEY'],
      },
      metrics: { upstream, token: { secret } },
    },
  });
  t.equal(config.apis.integration?.upstream, 'http://localhost');
  t.same(config.apis.integration?.hosts, ['api.example.com', '[::1]']);
  t.same(config.apis.integration?.credential, ['header:x-api-key', 'query:API_KEY']);
  t.same(config.apis.metrics?.token?.secret, [secret]);
});

t.test('how much and how long each number may be', async (t) => {
  const isTaken = (path: string, value: number, beside: object): boolean => {
    const [last = '', ...steps] = path.split('.').toReversed();
    const written = steps.reduce<object>((inner, step) => ({ [step]: inner }), { ...beside, [last]: value });
    return ConfigSchema.safeParse({ apis: { a: { upstream, routes: [] } }, ...written }).success;
  };
  const most = 1_073_741_824;
  const api = { upstream, routes: [] };
  const route = { method: 'POST', path: '/a' };
  const cached = { method: 'GET', path: '/a' };
  for (const [path, from, to, beside] of [
    ['listen.port', 0, 65_535, {}],
    ['listen.requestTimeoutSeconds', 0.01, 3600, { headersTimeoutSeconds: 0.01 }],
    ['listen.headersTimeoutSeconds', 0.01, 3600, { requestTimeoutSeconds: 3600 }],
    ['listen.maxHeaderBytes', 4096, 1_048_576, {}],
    ['listen.keepAliveTimeoutSeconds', 0.01, 3600, {}],
    ['listen.shutdownGraceSeconds', 0, 3600, {}],
    ['listen.maxConnections', 1, 1_000_000, {}],
    ['listen.maxRequestsInFlight', 1, 1_000_000, {}],
    ['listen.maxBodyBytesInFlight', 65_536, 1_099_511_627_776, {}],
    ['admin.port', 0, 65_535, {}],
    ['redis.pollSeconds', 0.05, 300, {}],
    ['log.sample', 0, 1, {}],
    ['observe.days', 1, 90, {}],
    ['apis.a.connectTimeoutSeconds', 0.01, 300, api],
    ['apis.a.timeoutSeconds', 0.01, 3600, api],
    ['apis.a.idleTimeoutSeconds', 0.01, 3600, api],
    ['apis.a.maxBodyBytes', 1, most, api],
    ['apis.a.maxConnections', 1, 65_536, api],
    ['apis.a.maxConnectionsPerKey', 1, 65_536, { ...api, maxConnections: 65_536 }],
    ['apis.a.keepAliveSeconds', 0, 300, api],
  ] as const)
    holds(t, path, from, to, (value) => isTaken(path, value, beside));
  for (const [field, from, to, beside] of [
    ['cacheMinutes', 1, 525_600, cached],
    ['maxBodyBytes', 1, most, route],
    ['timeoutSeconds', 0.01, 3600, route],
    ['idleTimeoutSeconds', 0.01, 3600, route],
  ] as const)
    holds(t, `routes[0].${field}`, from, to, (value) => {
      const routes = [{ ...beside, [field]: value }];
      return ConfigSchema.safeParse({ apis: { a: { upstream, routes } } }).success;
    });
  for (const [field, from, to, beside] of [
    ['token.ttlSeconds', 60, 3600, {}],
    ['cache.maxBytes', 0, 64 * most, { maxEntryBytes: 0 }],
    ['cache.maxEntryBytes', 0, most, { maxBytes: 64 * most }],
    ['cache.staleIfErrorMinutes', 0, 10_080, {}],
    ['cors.maxAgeSeconds', 0, 86_400, {}],
  ] as const)
    holds(t, `apis.metrics.${field}`, from, to, (value) => {
      const [group = '', name = ''] = field.split('.');
      return ConfigSchema.safeParse({ apis: { metrics: { upstream, [group]: { ...beside, [name]: value } } } }).success;
    });
});

/** Whether a number is taken from its least to its most, and not beyond. */
function holds(t: Test, what: string, from: number, to: number, isTaken: (value: number) => boolean): void {
  const step = Number.isInteger(from) ? 1 : from / 10;
  t.same([from, to].map(isTaken), [true, true], `${what}: ${from} to ${to}`);
  t.same([from - step, to + step].map(isTaken), [false, false], `${what}: not beyond`);
}

t.test('with a Cluster all keys are on one node', async (t) => {
  const takes = (prefix: string): boolean =>
    ConfigSchema.safeParse({ apis: { a: { upstream, routes: [] } }, redis: { cluster: ['redis://a'], prefix } })
      .success;
  for (const prefix of ['{postern}:', 'a{b}', '{a}{b}', '{{a}', 'a{b}c{}']) t.equal(takes(prefix), true, prefix);
  for (const prefix of ['postern:', '{}', '{}{b}', 'a{}b{c}', '{a', 'a}', '}{', '}a{'])
    t.equal(takes(prefix), false, prefix);
});

t.test('each word that a field may be, and no other', async (t) => {
  const route = { method: 'POST', path: '/a' };
  const whole = (more: object): object => ({ apis: { a: { upstream, routes: [] } }, ...more });
  const api = (more: object): object => whole({ apis: { a: { upstream, routes: [], ...more } } });
  for (const [field, words, within] of [
    ['cache.store', ['memory', 'redis'], (store) => whole({ apis: { metrics: { upstream, cache: { store } } } })],
    ['unlisted', ['allow', 'refuse'], (unlisted) => api({ unlisted })],
    ['enforcement', ['enforce', 'report'], (enforcement) => api({ enforcement })],
    ['authorization', ['strip', 'pass'], (authorization) => api({ authorization })],
    ['method', ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'], (method) => api({ routes: [{ ...route, method }] })],
    ['unnamed', ['disallow', 'allow'], (unnamed) => api({ routes: [{ ...route, events: 'name', unnamed }] })],
    ['keys.source', ['file', 'redis'], (source) => whole({ keys: { source } })],
    ['rateLimit.store', ['memory', 'redis'], (store) => whole({ rateLimit: { store } })],
    ['log.level', ['debug', 'info', 'warn', 'error', 'fatal', 'silent'], (level) => whole({ log: { level } })],
    ['log.requests', ['rejections', 'all', 'none'], (requests) => whole({ log: { requests } })],
    ['observe.store', ['memory', 'redis'], (store) => whole({ observe: { store } })],
  ] as readonly (readonly [string, readonly string[], (word: string) => object])[]) {
    const isTaken = (word: string): boolean => ConfigSchema.safeParse(within(word)).success;
    t.same(words.filter(isTaken), words, field);
    for (const other of [`${words[0]}~`, `un${words[0]}`, 'all-of-it'])
      if (field !== 'authorization') t.equal(isTaken(other), false, `${field}: ${other}`);
  }
});
