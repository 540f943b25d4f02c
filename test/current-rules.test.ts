import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createCurrentRules } from '../src/current-rules.ts';
import { createCaches } from '../src/cache/caches.ts';
import { createMemoryStore } from '../src/cache/memory-store.ts';
import type { Config } from '../src/config/schema.ts';
import type { TlsTexts } from '../src/lib/certificate.ts';
import type { Tokens } from '../src/tokens/tokens.ts';
import type { ApiRules } from '../src/policy/ruleset.ts';
import { apiIn, configFrom, key, snapshotOf } from './support/passages.ts';

const of = (api: ApiRules) => ({ api, route: null });

const NO_TLS: TlsTexts = { ca: null, cert: null, key: null };

const KEYS = snapshotOf([key('k')]);

function starting(t: Test, integration: string, configure: () => unknown = () => ({ service: { jwks: null } })) {
  const file = join(t.testdir({ 'postern.yaml': '' }), 'postern.yaml');
  const config = (written: string, more = '') => {
    writeFileSync(file, `apis:\n  integration: { upstream: "http://127.0.0.1:9000", ${written} }\n${more}`);
    return configFrom(file);
  };
  const caches = createCaches({
    createStore: ({ maxBytes }) => createMemoryStore({ maxBytes, now: () => 0 }),
    now: () => 0,
  });
  const made = createCurrentRules(config(integration), () => NO_TLS, {
    tokens: { configure } as unknown as Tokens,
    caches,
  });
  t.teardown(made.close);
  const current = { ...made, applyConfig: (next: Config, tls = NO_TLS) => made.applyConfig(next, () => tls) };
  const api = () => apiIn(current.rules(), 'integration') as ApiRules;
  return { config, current, api };
}

t.test('there are no rules until there are keys', async (t) => {
  const { current } = starting(t, '');
  t.same([current.rules().ready, current.rules().keys.byId.size, current.keys()], [false, 0, null]);
  current.applyKeys(KEYS);
  t.match(current.rules(), { ready: true, keys: KEYS });
  t.same([current.rules().apis.map(({ name }) => name), current.apiNames()], [['integration'], ['integration']]);
  t.equal(current.rules(), current.rules(), 'one pointer');
});

t.test('keys and configuration change each on their own, whole', async (t) => {
  const { current, config, api } = starting(t, 'maxBodyBytes: 1');
  current.applyKeys(KEYS);
  const before = current.rules();
  current.applyConfig(config('maxBodyBytes: 2'));
  t.equal(before.apis[0]?.maxBodyBytes, 1, 'a request under way keeps its rules');
  t.match(current.rules(), { ready: true, keys: KEYS });
  t.equal(api().maxBodyBytes, 2);
  const other = snapshotOf([]);
  current.applyKeys(other);
  t.equal(current.rules()?.keys, other);
  t.equal(api().maxBodyBytes, 2);
});

t.test('connections are kept while their settings are the same, and found by requests under way', async (t) => {
  const { current, config, api } = starting(t, '');
  current.applyKeys(KEYS);
  const first = api();
  const connections = current.upstreamOf(of(first));
  current.applyConfig(config('maxBodyBytes: 2'));
  t.not(api(), first);
  t.equal(current.upstreamOf(of(api())), connections);
  current.applyConfig(config('timeoutSeconds: 1'));
  t.not(current.upstreamOf(of(api())), connections);
  t.equal(current.upstreamOf(of(first)), connections);
});

t.test('what cannot be put to use changes nothing', async (t) => {
  let broken = false;
  const { current, config } = starting(t, '', () => {
    if (broken) throw new Error('a key that cannot be read');
    return { service: { jwks: null } };
  });
  current.applyKeys(KEYS);
  const before = current.rules();
  broken = true;
  const metrics = '  metrics: { upstream: "http://127.0.0.1:9001" }\n';
  t.throws(() => current.applyConfig(config('maxBodyBytes: 2', metrics)), /cannot be read/);
  t.equal(current.rules(), before);
  current.applyKeys(KEYS);
  t.equal(apiIn(current.rules(), 'metrics'), null);
  t.equal(apiIn(current.rules(), 'integration')?.maxBodyBytes, 1048576);
  broken = false;
  current.applyConfig(config('maxBodyBytes: 2', metrics));
  const metricsApi = apiIn(current.rules(), 'metrics') as ApiRules;
  t.ok(current.tokensOf(metricsApi));
  t.ok(current.cacheOf(metricsApi));
  t.equal(current.keySet(), '{"keys":[]}');
});

t.test(
  'a route with an upstream or time-outs of its own has connections of its own, shared by those that say the same',
  async (t) => {
    const route = (path: string, more: string) => `{ method: POST, path: ${path}, ${more} }`;
    const routes = (timeout: number) =>
      `routes: [${[
        route('/a', 'upstream: "http://files:8080"'),
        route('/b', 'upstream: "http://files:8080"'),
        route('/c', `timeoutSeconds: ${timeout}`),
        route('/d', 'idleTimeoutSeconds: 2'),
        route('/e', 'maxBodyBytes: 5'),
      ].join(', ')}]`;
    const { current, config, api } = starting(t, routes(1));
    const to = (path: string) => current.upstreamOf({ api: api(), route: api().router.match('POST', path) });
    const before = ['/x', '/a', '/b', '/c', '/d', '/e'].map(to);
    const [plain, a, b, c, d, e] = before;
    t.equal(new Set(before).size, 4);
    t.same([a === b, e === plain], [true, true]);
    t.equal(new Set([plain, a, c, d]).size, 4);
    current.applyConfig(config(routes(9)));
    t.same(
      ['/x', '/a', '/b', '/c', '/d', '/e'].map((path, n) => to(path) === before[n]),
      [true, true, true, false, true, true],
    );
  },
);

t.test('connections that nothing leads to any more are closed, and no others', async (t) => {
  const { current, config, api } = starting(t, '');
  const closed: string[] = [];
  const watch = (name: string): void => {
    const upstream = current.upstreamOf(of(api()));
    const { close } = upstream;
    upstream.close = () => (closed.push(name), close());
  };
  watch('first');
  current.applyConfig(config('maxBodyBytes: 2'));
  t.same(closed, []);
  current.applyConfig(config('timeoutSeconds: 1'));
  t.same(closed, ['first']);
  watch('second');
  current.applyConfig(config(''));
  t.same(closed, ['first', 'second']);
});

t.test('the name in the certificate is that of the API\u2019s backend, not of a route\u2019s own', async (t) => {
  const routes =
    'routes: [{ method: POST, path: /a, upstream: "https://files" }, { method: POST, path: /b, timeoutSeconds: 9 }]';
  const named = (serverName: string) => `tls: { serverName: ${serverName} }, ${routes}`;
  const { current, config, api } = starting(t, named('one.test'));
  const to = (path: string) => current.upstreamOf({ api: api(), route: api().router.match('POST', path) });
  const before = ['/a', '/b', '/c'].map(to);
  current.applyConfig(config(named('two.test')));
  t.same(
    ['/a', '/b', '/c'].map((path, n) => to(path) === before[n]),
    [true, false, false],
  );
  const authority = { ...NO_TLS, ca: readFileSync('test/fixtures/tls/cert.pem', 'utf8') };
  const between = ['/a', '/b', '/c'].map(to);
  current.applyConfig(config(named('two.test')), authority);
  t.same(
    ['/a', '/b', '/c'].map((path, n) => to(path) === between[n]),
    [false, false, false],
    'its authorities are those of all of them',
  );
});

t.test('connections are made as the API and the route say', async (t) => {
  const routes =
    'idleTimeoutSeconds: 7, preserveHost: true, maxConnections: 9, maxConnectionsPerKey: 5, routes: [' +
    '{ method: POST, path: /a, idleTimeoutSeconds: 2 }, { method: POST, path: /b, upstream: "http://files:8080" }]';
  const { current, api } = starting(t, routes);
  const to = (path: string) => current.upstreamOf({ api: api(), route: api().router.match('POST', path) });
  const seen = ['/a', '/b', '/c']
    .map(to)
    .map(({ origin, idleTimeoutMs, preserveHost }) => [origin, idleTimeoutMs, preserveHost]);
  t.same(seen, [
    ['http://127.0.0.1:9000', 2000, true],
    ['http://files:8080', 7000, true],
    ['http://127.0.0.1:9000', 7000, true],
  ]);
});

t.test('at the end all connections are closed, those of routes too', async (t) => {
  const routes = 'routes: [{ method: POST, path: /a, upstream: "http://files:8080" }]';
  const { current, api } = starting(t, routes);
  const closed: string[] = [];
  for (const path of ['/a', '/b']) {
    const upstream = current.upstreamOf({ api: api(), route: api().router.match('POST', path) });
    upstream.close = async () => {
      await new Promise(setImmediate);
      closed.push(path);
    };
  }
  await current.close();
  t.same(closed.toSorted(), ['/a', '/b'], 'and waited for');
});
