import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { compileMemberSearch } from '../../src/event-filter/member-value.ts';
import {
  admit,
  checkCredential,
  checkGuards,
  enter,
  FROM_CREDENTIAL,
  modeOf,
  STEPS,
  type Passage,
  type PolicyPorts,
  visitOf,
} from '../../src/policy/pipeline.ts';
import { readHeaders } from '../../src/policy/header-facts.ts';
import { allowed } from '../../src/policy/refusal.ts';
import { apiRules, bearer, factsOf, key, passageOf, PORTS, rulesOf } from '../support/passages.ts';

const nowhere = { admitsAddress: () => false };
const KEYS = [
  key('k', { type: 'read-write' }),
  key('off', { enabled: false }),
  key('far', nowhere),
  key('rep', { ...nowhere, mode: 'report' }),
];

const codeOf = (result: Awaited<ReturnType<typeof admit>>): string =>
  typeof result === 'string' ? result : result.code;
const run = (passage: Passage, ports: PolicyPorts = PORTS) =>
  codeOf(admit(passage, ports) as Awaited<ReturnType<typeof admit>>);

t.test('the order of the steps is what is promised', async (t) => {
  t.same(
    STEPS.map(({ name }) => name),
    [
      'request form',
      'path',
      'route',
      'preflight',
      'own endpoint',
      'credential',
      'client address',
      'browser guard',
      'scope',
      'rate',
    ],
  );
});

t.test('the first refusal ends the way', async (t) => {
  const from = (...fields: string[]) => factsOf({ method: 'DELETE' }, fields);
  const rules = rulesOf([key('k', { ...nowhere })]);
  t.equal(run(passageOf({ ...from(), httpVersion: '2.0', target: '/a//b' }, rules)), 'version_not_supported');
  t.equal(run(passageOf({ ...from(), target: '/metrics//b' }, rules)), 'ambiguous_path');
  t.equal(run(passageOf({ ...from(), target: '/metrics' }, rules)), 'no_route');
  t.equal(run(passageOf(from('Origin', 'https://a.example'), rules)), 'missing_credential');
  t.equal(run(passageOf(from('Origin', 'x', ...bearer('no')), rules)), 'invalid_credential');
  t.equal(run(passageOf(from('Origin', 'x', ...bearer('k')), rules)), 'ip_not_allowed');
  const pages = rulesOf([key('k', { allowedOrigins: new Set(), rateLimit: { requests: 1, windowSeconds: 1 } })]);
  t.equal(run(passageOf(from('Origin', 'x', ...bearer('k')), pages)), 'origin_not_allowed');
  const over: PolicyPorts = {
    ...PORTS,
    rate: { take: () => ({ allowed: false, retryAfterSeconds: 7 }), close: () => {}, shared: () => null },
  };
  t.equal(run(passageOf(from(...bearer('k')), pages), over), 'method_not_allowed');
  t.match(admit(passageOf(factsOf({}, bearer('k')), pages), over), { code: 'rate_limited', retryAfter: 7 });
});

t.test('a passage keeps what the steps found', async (t) => {
  const passage = passageOf(factsOf({ target: '/EVENT/inge%73t/?a=%zz' }, bearer('k')), rulesOf(KEYS));
  t.equal(run(passage), 'passed');
  t.match(passage, {
    ...{ path: '/EVENT/ingest/', query: '?a=%zz', api: { name: 'integration' }, wouldReject: null, endpoint: null },
    ...{
      identity: { key: { id: 'k' } },
      route: { route: { pattern: '/event/ingest' } },
      client: { text: '192.0.2.1' },
    },
  });
});

t.test('where a request goes is the same, whatever the one before it on its connection asked for', async (t) => {
  const onHost = (name: string) => apiRules({ hosts: new Set([name]) });
  const keys = [key('k', { type: 'read-write' })];
  const metrics = apiRules({ name: 'metrics' });
  const rulesets = [rulesOf(keys, { metrics }), rulesOf(keys, { metrics, integration: onHost('a.test') })];
  const paths = ['/event/ingest', '/event/ingest?a', '/profile/u1', '/a//b', '/.well-known/jwks.json', '/EVENT/ingest'];
  const steps = rulesets.flatMap((rules) =>
    ['a.test', 'b.test'].flatMap((host) => {
      const rawHeaders = ['Host', host, ...bearer('k')];
      const headers = readHeaders(rawHeaders);
      return ['GET', 'POST', 'OPTIONS'].flatMap((method) =>
        paths.map((target) => ({ rules, facts: factsOf({ method, target, rawHeaders, headers }) })),
      );
    }),
  );
  const ports: PolicyPorts = { ...PORTS, ownEndpoint: (path) => (path.startsWith('/.well-known') ? 'key set' : null) };
  const seen = (passage: Passage) => {
    const verdict = run(passage, ports);
    const { path, query, api, route, endpoint } = passage;
    return {
      verdict,
      path,
      query,
      api: api?.hosts ?? api?.name,
      route: route?.route.pattern,
      to: route?.target,
      endpoint,
    };
  };
  for (const { facts, rules } of steps) {
    const alone = seen(enter(facts, rules));
    const others = steps.filter((step) => {
      const before = enter(step.facts, step.rules);
      run(before, ports);
      return !isDeepStrictEqual(seen(enter(facts, rules, visitOf(before))), alone);
    });
    t.same(others, [], `${facts.method} ${facts.target} of ${facts.headers.host}`);
  }
});

t.test('a step that has to wait makes the way asynchronous, and only then', async (t) => {
  const later: PolicyPorts = { ...PORTS, authenticate: async (passage, api) => PORTS.authenticate(passage, api) };
  for (const [id, outcome] of [
    ['k', 'passed'],
    ['far', 'ip_not_allowed'],
    ['off', 'invalid_credential'],
  ] as const) {
    const result = admit(passageOf(factsOf({}, bearer(id)), rulesOf(KEYS)), later);
    t.ok(result instanceof Promise);
    t.equal(codeOf(await result), outcome);
    t.notOk(admit(passageOf(factsOf({}, bearer(id)), rulesOf(KEYS)), PORTS) instanceof Promise);
  }
  const slow: PolicyPorts = {
    ...PORTS,
    rate: { take: async () => ({ allowed: false, retryAfterSeconds: 1 }), close: () => {}, shared: () => null },
  };
  const limited = rulesOf([key('k', { rateLimit: { requests: 1, windowSeconds: 1 } })]);
  t.equal(codeOf(await admit(passageOf(factsOf({}, bearer('k')), limited), slow)), 'rate_limited');
});

t.test(
  'report mode of a key notes the first refusal after the credential; that of an API also the credential\u2019s',
  async (t) => {
    const reported = passageOf(factsOf({ method: 'DELETE' }, bearer('rep')), rulesOf(KEYS));
    t.equal(run(reported), 'passed');
    t.match(reported, { wouldReject: { code: 'ip_not_allowed' }, client: { text: '192.0.2.1' } });
    const api = { integration: apiRules({ enforcement: 'report' }) };
    for (const [fields, reason] of [
      [[], 'missing_credential'],
      [bearer('off'), 'disabled'],
      [bearer('far'), 'ip_not_allowed'],
    ] as const) {
      const passage = passageOf(factsOf({}, fields), rulesOf(KEYS, api));
      t.equal(run(passage), 'passed');
      t.equal(passage.wouldReject?.reason, reason);
      t.equal(passage.client?.text, '192.0.2.1');
    }
    t.equal(run(passageOf(factsOf({ target: '/a//b' }), rulesOf(KEYS, api))), 'ambiguous_path');
    t.equal(modeOf(passageOf(factsOf(), rulesOf(KEYS, api)), 'key'), 'enforce', 'before the API is known');
  },
);

t.test('a preflight is answered for an admitted origin, whoever asks', async (t) => {
  const ask = (origin: string) =>
    factsOf({ method: 'OPTIONS' }, ['Origin', origin, 'Access-Control-Request-Method', 'POST']);
  const rules = rulesOf([key('k', { allowedOrigins: new Set(['https://a.example']) })]);
  const passage = passageOf(ask('https://a.example'), rules);
  t.same([run(passage), passage.endpoint], ['answered', 'preflight']);
  t.equal(run(passageOf(ask('https://b.example'), rules)), 'cors_not_allowed');
});

t.test('which API serves a request: by path in every spelling, and by Host', async (t) => {
  const metrics = apiRules({ name: 'metrics' });
  const integration = apiRules({ hosts: new Set(['api.test', '[2001:db8::1]']) });
  const to = (target: string, host = 'api.test', rules = rulesOf(KEYS, { integration, metrics })) => {
    const facts = factsOf({ target });
    const passage = passageOf({ ...facts, headers: { ...facts.headers, host } }, rules);
    return [run(passage), passage.api?.name];
  };
  for (const target of ['/metrics', '/METRICS/', '/metrics/query', '/m%65trics/x'])
    t.equal(to(target)[1], 'metrics', target);
  for (const target of ['/metricsx', '/a/metrics', '/']) t.equal(to(target)[1], 'integration', target);
  for (const host of ['API.test:80', 'api.test.', 'api.test.:80', '[2001:db8::1]:8080'])
    t.equal(to('/', host)[1], 'integration', host);
  t.same(to('/', 'other.test'), ['no_route', undefined]);
  t.same(to('/metrics', 'api.test', rulesOf(KEYS)), ['no_route', undefined]);
  const narrow = rulesOf(KEYS, {
    integration: apiRules(),
    metrics: apiRules({ name: 'metrics', hosts: new Set(['m.test']) }),
  });
  t.equal(to('/metrics/query', 'm.test', narrow)[1], 'metrics');
  t.same(to('/metrics/query', 'api.test', narrow), ['no_route', undefined]);
  t.equal(to('/', 'api.test', narrow)[1], 'integration');
  t.same(to('/', 'api.test', rulesOf(KEYS, { integration: null, metrics })), ['no_route', undefined]);
});

t.test('endpoints of Postern\u2019s own are for the metrics API; the key set is read only', async (t) => {
  const ports: PolicyPorts = {
    ...PORTS,
    ownEndpoint: (path) => (path === '/keys' ? 'key set' : path === '/metrics/token' ? 'token' : null),
  };
  const rules = rulesOf(KEYS, { metrics: apiRules({ name: 'metrics' }) });
  for (const [method, target, result] of [
    ['GET', '/keys', 'answered'],
    ['HEAD', '/keys', 'answered'],
    ['POST', '/keys', 'no_route'],
    ['POST', '/metrics/token', 'answered'],
  ] as const)
    t.equal(run(passageOf(factsOf({ method, target }), rules), ports), result);
  t.equal(
    run(passageOf(factsOf({ method: 'GET', target: '/keys' }), rulesOf(KEYS)), ports),
    'missing_credential',
    'without that API',
  );
});

t.test('the guards alone, for a key that was recognised by other means', async (t) => {
  const guard = (id: string, fields: readonly string[] = []) => {
    const rules = rulesOf(KEYS);
    const passage = passageOf(factsOf({}, fields), rules);
    const known = rules.keys.byId.get(id);
    if (known !== undefined) passage.identity = { key: known, secret: known.secrets[0] as (typeof known.secrets)[0] };
    return [checkGuards(passage)?.code, passage.wouldReject?.code];
  };
  t.same(guard('k'), [undefined, undefined]);
  t.same(guard('k', ['Origin', 'x']), ['browser_not_allowed', undefined]);
  t.same(guard('far'), ['ip_not_allowed', undefined]);
  t.same(guard('rep'), [undefined, 'ip_not_allowed']);
  t.throws(() => guard('nobody'), /needs a key/);
});

t.test('a credential that can only be in the body is waited for, and the way goes on where it stopped', async (t) => {
  const BODY = { kind: 'body', name: 'api_key', find: compileMemberSearch('api_key') } as const;
  const integration = apiRules({ credential: [{ kind: 'bearer' }, BODY], looksIntoBody: true });
  const rules = rulesOf(KEYS, { integration });
  const announced = ['Content-Length', '2'];
  const withKey = (id: string) => allowed(Buffer.from(`{"api_key":"secret-of-${id}"}`));
  const waiting = (fields: readonly string[] = []) => passageOf(factsOf({}, [...announced, ...fields]), rules);

  const passage = waiting();
  t.equal(run(passage), 'body wanted');
  passage.bodyText = withKey('k');
  t.equal(codeOf(await admit(passage, PORTS, FROM_CREDENTIAL)), 'passed');
  t.equal(passage.identity?.key.id, 'k');
  passage.bodyText = withKey('far');
  t.equal(codeOf(await admit(passage, PORTS, FROM_CREDENTIAL)), 'ip_not_allowed');
  passage.bodyText = allowed(Buffer.from('{}'));
  t.equal(codeOf(await admit(passage, PORTS, FROM_CREDENTIAL)), 'missing_credential', 'not waited for twice');

  t.equal(run(passageOf(factsOf(), rules)), 'missing_credential', 'no body');
  t.equal(run(waiting(bearer('no'))), 'invalid_credential', 'the body of a wrong credential is not read');
  const elsewhere = waiting(bearer('k'));
  t.equal(run(elsewhere), 'passed');
  elsewhere.bodyText = withKey('rep');
  t.equal(codeOf(checkCredential(elsewhere)), 'invalid_credential');
  elsewhere.bodyText = withKey('k');
  t.equal(codeOf(checkCredential(elsewhere)), 'passed');
});
