import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createCurrentRules } from '../src/current-rules.ts';
import type { MetricsServices } from '../src/metrics-api/metrics-service.ts';
import type { ApiRules } from '../src/policy/ruleset.ts';
import { apiIn, configFrom, key, snapshotOf } from './support/passages.ts';

const KEYS = snapshotOf([key('k')]);

function starting(t: Test, integration: string, configure: () => unknown = () => ({})) {
  const file = join(t.testdir({ 'postern.yaml': '' }), 'postern.yaml');
  const config = (written: string, more = '') => {
    writeFileSync(file, `apis:\n  integration: { upstream: "http://127.0.0.1:9000", ${written} }\n${more}`);
    return configFrom(file);
  };
  const services = { configure } as unknown as MetricsServices;
  const current = createCurrentRules(config(integration), services);
  t.teardown(current.close);
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
  const connections = current.upstreamOf(first);
  current.applyConfig(config('maxBodyBytes: 2'));
  t.not(api(), first);
  t.equal(current.upstreamOf(api()), connections);
  current.applyConfig(config('timeoutSeconds: 1'));
  t.not(current.upstreamOf(api()), connections);
  t.equal(current.upstreamOf(first), connections);
});

t.test('what cannot be put to use changes nothing', async (t) => {
  let broken = false;
  const { current, config } = starting(t, '', () => {
    if (broken) throw new Error('a key that cannot be read');
    return {};
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
  t.ok(current.metricsOf(apiIn(current.rules(), 'metrics') as ApiRules));
});
