import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parseAddress } from '../../src/lib/address.ts';
import { compileRules } from '../../src/policy/compile-rules.ts';
import { apiIn, configFrom } from '../support/passages.ts';

function compiled(t: Test, yaml: string) {
  const rules = compileRules(configFrom(join(t.testdir({ 'postern.yaml': yaml }), 'postern.yaml')));
  return { ...rules, integration: apiIn(rules, 'integration'), metrics: apiIn(rules, 'metrics') };
}

t.test('an API that is left out has no rules', async (t) => {
  const rules = compiled(t, 'apis: { integration: { upstream: http://127.0.0.1:9000 } }\n');
  t.equal(rules.metrics, null);
  t.match(rules.integration, {
    name: 'integration',
    hosts: null,
    credential: [{ kind: 'bearer' }],
    authorization: { basic: { kind: 'strip' }, bearer: { kind: 'strip' }, places: [{ kind: 'strip' }] },
    enforcement: 'enforce',
    maxBodyBytes: 1048576,
  });
  t.ok(rules.integration?.router.match('POST', '/event/ingest'), 'the preset');
  t.equal(rules.trustedProxies.has(parseAddress('127.0.0.1')), false);
  t.equal(rules.pathQuirks.size, 0);
});

t.test('everything that is written is compiled', async (t) => {
  const rules = compiled(
    t,
    `listen: { trustedProxies: [10.0.0.0/8], allowPathQuirks: [semicolon] }
apis:
  metrics: { upstream: "http://127.0.0.1:9001" }
  integration:
    upstream: http://127.0.0.1:9000
    hosts: [API.Test]
    authorization: Bearer upstream
    enforcement: report
    maxBodyBytes: 10
    cors: { allowedHeaders: [X-A], maxAgeSeconds: 1 }
    credential: [basic-username, "header:X-Api-Key", "query:api_key", "body:a.b"]
    routes: [{ method: POST, path: /track, events: event }]
`,
  );
  t.equal(rules.trustedProxies.has(parseAddress('10.1.2.3')), true);
  t.same([...rules.pathQuirks], ['semicolon']);
  t.equal(rules.metrics?.name, 'metrics');
  const { integration } = rules;
  t.same([...(integration?.hosts ?? [])], ['api.test']);
  t.same(integration?.authorization.bearer, { kind: 'literal', value: 'Bearer upstream' });
  t.match(integration?.credential, [
    { kind: 'basic-username' },
    { kind: 'header', name: 'x-api-key' },
    { kind: 'query', name: 'api_key' },
    { kind: 'body', name: 'a.b', find: Function },
  ]);
  t.same(integration?.credentialFields, ['x-api-key']);
  t.same([integration?.looksIntoBody, rules.metrics?.looksIntoBody], [true, false]);
  t.match(integration, { enforcement: 'report', maxBodyBytes: 10, cors: { maxAgeSeconds: 1 } });
  t.same([...(integration?.cors.allowedHeaders ?? [])], ['x-a']);
  t.ok(integration?.router.match('POST', '/track'));
  t.equal(integration?.router.match('POST', '/event/ingest'), null);
});

t.test('each API has its name, and names of hosts and headers count in any case', async (t) => {
  const rules = compiled(
    t,
    `apis:
  integration: { upstream: "http://127.0.0.1:9000", hosts: [A.Test, b.test], cors: { allowedHeaders: [X-A, x-b] } }
  metrics: { upstream: "http://127.0.0.1:9001", hosts: [M.Test], maxBodyBytes: 7 }
`,
  );
  t.equal(rules.integration?.name, 'integration');
  t.same([...(rules.integration?.hosts ?? [])], ['a.test', 'b.test']);
  t.same([...(rules.integration?.cors.allowedHeaders ?? [])], ['x-a', 'x-b']);
  t.equal(rules.integration?.cors.maxAgeSeconds, 7200);
  t.same([...(rules.metrics?.hosts ?? [])], ['m.test']);
  t.equal(rules.metrics?.maxBodyBytes, 7);
  t.equal(rules.metrics?.looksIntoBody, false);
  t.same(rules.metrics?.credentialFields, []);
});

t.test('where a credential may stand decides what is looked at', async (t) => {
  const of = (credential: string) =>
    compiled(t, `apis: { integration: { upstream: "http://127.0.0.1:9000", credential: ${credential} } }\n`)
      .integration;
  t.equal(of('["body:a"]')?.looksIntoBody, true);
  t.equal(of('["header:X-Key"]')?.looksIntoBody, false);
  t.same(of('["header:X-Key", "query:q", bearer, "header:Y"]')?.credentialFields, ['x-key', 'y']);
  const [query] = of('["query:q"]')?.credential ?? [];
  t.match(query, { kind: 'query', name: 'q', isName: Function });
  t.equal(query?.kind === 'query' && query.isName('Q[]'), true);
});

t.test('no field of a form is called like a credential', async (t) => {
  const routes = '[{ method: POST, path: /track, events: event, form: data }]';
  const [route] =
    compiled(
      t,
      `apis: { integration: { upstream: "http://127.0.0.1:9000", credential: ["body:api_key", "body:a/b", "query:token"], routes: ${routes} } }\n`,
    ).integration?.router.routes ?? [];
  const isCredential = (name: string) => route?.envelope.form?.isCredential.some((isName) => isName(name));
  for (const name of ['api_key', 'API_KEY', 'token']) t.equal(isCredential(name), true, name);
  for (const name of ['a/b', 'b', 'data']) t.equal(isCredential(name), false, name);
});

t.test('an API is left out on its own', async (t) => {
  const rules = compiled(t, 'apis: { metrics: { upstream: http://127.0.0.1:9001 } }\n');
  t.equal(rules.integration, null);
  t.equal(rules.metrics?.name, 'metrics');
});

t.test('addresses of an API, with and without a description', async (t) => {
  const { integration } = compiled(
    t,
    `apis:
  integration:
    upstream: http://127.0.0.1:9000
    allowFrom: [192.0.2.0/24, { address: 198.51.100.1, description: "an office" }]
    denyFrom: [192.0.2.9]
`,
  );
  const holds = (rule: 'allowFrom' | 'denyFrom', address: string) =>
    integration?.[rule].holds(parseAddress(address), new Map());
  for (const address of ['192.0.2.1', '198.51.100.1']) t.equal(holds('allowFrom', address), true, address);
  t.equal(holds('allowFrom', '198.51.100.2'), false);
  t.same([holds('denyFrom', '192.0.2.9'), holds('denyFrom', '192.0.2.8')], [true, false]);
});

t.test('what answers of an API may be kept, and how it is refused', async (t) => {
  const of = (more: string) =>
    compiled(t, `apis: { integration: { upstream: "http://127.0.0.1:9000", ${more} } }\n`).integration;
  t.equal(of('preset: userflux')?.caches, false);
  t.equal(of('routes: [{ method: GET, path: /a }, { method: GET, path: /b, cacheMinutes: 1 }]')?.caches, true);
  const { metrics } = compiled(t, 'apis: { metrics: { upstream: http://127.0.0.1:9001 } }\n');
  t.equal(metrics?.caches, true);
  t.equal(of('preset: amplitude')?.refusalForm, 'amplitude');
  t.equal(of('preset: segment')?.refusalForm, 'problem');
  t.equal(of('routes: []')?.refusalForm, 'problem');
});
