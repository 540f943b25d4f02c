import t from 'tap';
import { METRICS } from '../../src/observability/metric-definitions.ts';
import { metricsOver, scrape, textOf } from '../support/metrics.ts';
import { key, NOON, outcome, snapshot } from '../support/outcomes.ts';

t.test('a scrape declares every metric of the table with its type, and the process metrics', async (t) => {
  const text = await textOf(metricsOver(() => null).parts());
  for (const [name, { type, help }] of Object.entries(METRICS)) {
    t.match(text, `# TYPE ${name} ${type}\n`);
    t.match(text, `# HELP ${name} ${help}\n`);
  }
  t.match(text, '# TYPE process_cpu_seconds_total counter');
  t.match(text, '# TYPE nodejs_eventloop_lag_seconds gauge');
});

t.test('after one request of each kind every metric has a series', async (t) => {
  const metrics = metricsOver(() => snapshot([key('web', { expiresAt: NOON }), key('metrics', { type: 'metrics' })]), {
    certificates: () => [{ name: 'listen', expiresAt: NOON, isCurrent: true }],
    enforcement: () => [{ name: 'integration', enforcement: 'enforce' }],
    redisUp: { cache: () => true, rate_limit: () => null, observe: () => false },
    addressLists: () => [{ name: 'office', up: true, entries: 1, lastSuccessAt: NOON }],
    observedTruncated: () => new Map([['web', 1]]),
  });
  metrics.record(outcome({ secretId: 'web-secret' }));
  const names = [...(await scrape(metrics)).keys()];
  for (const name of Object.keys(METRICS))
    t.ok(
      names.some((series) => series.startsWith(name) && /^(_bucket)?(\{|$)/.test(series.slice(name.length))),
      name,
    );
});

t.test('each address list has its state, its length and its last reading', async (t) => {
  const series = await scrape(
    metricsOver(() => null, {
      addressLists: () => [
        { name: 'office', up: true, entries: 3, lastSuccessAt: 5000 },
        { name: 'cdn', up: false, entries: 0, lastSuccessAt: null },
      ],
    }),
  );
  const of = (list: string) =>
    ['up', 'entries', 'last_success_timestamp_seconds'].map((what) =>
      series.get(`postern_address_list_${what}{list="${list}"}`),
    );
  t.same(of('office'), [1, 3, 5]);
  t.same(of('cdn'), [0, 0, 0]);
});

t.test('certificates, modes, limits and what is counted beside requests', async (t) => {
  const series = await scrape(
    metricsOver(() => null, {
      certificates: () => [
        { name: 'listen', expiresAt: 5000, isCurrent: true },
        { name: 'admin', expiresAt: 6500, isCurrent: false },
      ],
      enforcement: () => [
        { name: 'integration', enforcement: 'enforce' },
        { name: 'orders', enforcement: 'report' },
      ],
      connections: async () => 3,
      limits: { connections: 7, requestsInFlight: 8 },
      signInFailures: () => 9,
    }),
  );
  const of = (...names: readonly string[]) => names.map((name) => series.get(`postern_${name}`));
  const ends = 'tls_certificate_expires_timestamp_seconds';
  t.same(of(`${ends}{use="listen"}`, `${ends}{use="admin"}`), [5, 6.5]);
  const current = 'tls_certificate_last_reload_successful';
  t.same(of(`${current}{use="listen"}`, `${current}{use="admin"}`), [1, 0]);
  t.same(of('enforcement{api="integration"}', 'enforcement{api="orders"}'), [1, 0]);
  t.same(of('connections', 'connections_limit', 'requests_in_flight_limit'), [3, 7, 8]);
  t.same(of('admin_sign_in_failures_total'), [9]);
});

t.test('a key ends with itself or with the last of its secrets; one that never does has no series', async (t) => {
  const secret = (id: string, expiresAt: number | null) => ({ id, digest: '', expiresAt });
  const series = await scrape(
    metricsOver(() =>
      snapshot([
        key('never'),
        key('itself', { expiresAt: 5000 }),
        key('secrets', { secrets: [secret('a', 6000), secret('b', 9000)] }),
        key('one-left', { secrets: [secret('c', 6000), secret('d', null)] }),
        key('both', { expiresAt: 7000, secrets: [secret('e', 8000)] }),
        key('off', { expiresAt: 5000, enabled: false }),
      ]),
    ),
  );
  const name = 'postern_key_expires_timestamp_seconds';
  t.same(
    [...series].filter(([one]) => one.startsWith(name)),
    [
      [`${name}{key="itself"}`, 5],
      [`${name}{key="secrets"}`, 9],
      [`${name}{key="both"}`, 7],
    ],
  );
});

t.test('without a cache its gauges are 0', async (t) => {
  const series = await scrape(metricsOver(() => null));
  t.equal(series.get('postern_cache_bytes'), 0);
  t.equal(series.get('postern_cache_entries'), 0);
});

t.test('gauges tell the state of keys, their source, the configuration, the cache and the build', async (t) => {
  const past = NOON - 1;
  const keys = snapshot([
    key('a'),
    key('b', { enabled: false, expiresAt: past }),
    key('c', { expiresAt: NOON }),
    key('d', { type: 'read-write', secrets: [{ id: 'x', digest: '', expiresAt: past }] }),
    key('e', { type: 'metrics', expiresAt: NOON + 1 }),
  ]);
  const series = await scrape(
    metricsOver(() => keys, {
      keySource: () => ({ up: false, lastSyncAt: 5000, invalidDefinitions: 1 }),
      config: () => ({ lastReloadSuccessful: false, lastLoaded: 7000 }),
      cache: () => ({ bytes: 42, entries: 2 }),
    }),
  );
  const keysIn = (type: string, state: string) => series.get(`postern_keys{type="${type}",state="${state}"}`);
  t.equal(keysIn('write-only', 'active'), 1);
  t.equal(keysIn('write-only', 'disabled'), 1);
  t.equal(keysIn('write-only', 'expired'), 1);
  t.equal(keysIn('read-write', 'expired'), 1);
  t.equal(keysIn('read-write', 'active'), 0);
  t.equal(keysIn('metrics', 'active'), 1);
  t.equal(series.get('postern_key_source_up'), 0);
  t.equal(series.get('postern_key_source_last_sync_timestamp_seconds'), 5);
  t.equal(series.get('postern_key_source_invalid_definitions'), 1);
  t.equal(series.get('postern_config_last_reload_successful'), 0);
  t.equal(series.get('postern_config_last_reload_timestamp_seconds'), 7);
  t.notOk(
    [...series.keys()].some((name) => name.startsWith('postern_redis_up')),
    'nothing is shared',
  );
  t.equal(series.get('postern_cache_bytes'), 42);
  t.equal(series.get('postern_cache_entries'), 2);
  t.equal(series.get('postern_build_info{version="1.2.3",node="v20.0.0"}'), 1);
});
