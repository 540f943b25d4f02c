/** The order of the rungs, and what a request learns on those that judge. */
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { compileAllowRule } from '../../src/keys/address-rule.ts';
import { compileMemberSearch } from '../../src/event-filter/member-value.ts';
import { readHeaders } from '../../src/policy/header-facts.ts';
import type { PolicyWorld } from '../../src/request/checks.ts';
import { placeOf, visitOf } from '../../src/request/connection.ts';
import type { Passage } from '../../src/request/passage.ts';
import { JUDGING, RUNGS } from '../../src/request/rungs.ts';
import { apiRules, bearer, factsOf, judged, key, passageOf, rulesOf, WORLD } from '../support/passages.ts';

const NOBODY = compileAllowRule([]);

const nowhere = { allowFrom: NOBODY };
const KEYS = [
  key('k', { type: 'read-write' }),
  key('off', { enabled: false }),
  key('far', nowhere),
  key('rep', { ...nowhere, mode: 'report' }),
];

t.test('the order of the rungs is what is promised', async (t) => {
  t.same(
    RUNGS.map(({ name, reportable }) => `${name}: ${reportable}`),
    [
      'ready: never',
      'request form: never',
      'path: traffic',
      'route: never',
      'plain form: traffic',
      'denied addresses: never',
      'addresses of the API: api',
      'preflight: traffic',
      'own endpoint: never',
      'client credentials: never',
      'credential: api',
      'client address: key',
      'browser guard: key',
      'token: never',
      'scope: key',
      'listed routes: api',
      'rate: key',
      'capacity: never',
      'length: traffic',
      'credential in the body: api',
      'events: key',
      'cache: never',
      'body: never',
      'forward: never',
    ],
  );
});

t.test('what judges stands in the way in one order, for enforcement and for explain', async (t) => {
  const explained: readonly unknown[] = Object.values(JUDGING);
  t.same(
    RUNGS.filter((rung) => explained.includes(rung)).map(({ name }) => name),
    Object.values(JUDGING).map(({ name }) => name),
  );
});

t.test('a rung that is asked before what it needs is known is a bug that says so', async (t) => {
  const passage = passageOf(factsOf(), rulesOf(KEYS));
  t.throws(() => JUDGING.credential.check(passage, WORLD), /"credential" was asked before the rung "route"/);
  t.throws(() => JUDGING.scope.check(passage, WORLD), /"scope" was asked before the rung "credential"/);
});

t.test('the first refusal ends the way', async (t) => {
  const from = (...fields: string[]) => factsOf({ method: 'DELETE' }, fields);
  const rules = rulesOf([key('k', { ...nowhere })]);
  t.equal(judged(passageOf({ ...from(), httpVersion: '2.0', target: '/a//b' }, rules)), 'version_not_supported');
  t.equal(judged(passageOf({ ...from(), target: '/metrics//b' }, rules)), 'ambiguous_path');
  t.equal(judged(passageOf({ ...from(), target: '/metrics' }, rules)), 'no_route');
  t.equal(judged(passageOf(from('Origin', 'https://a.example'), rules)), 'missing_credential');
  t.equal(judged(passageOf(from('Origin', 'x', ...bearer('no')), rules)), 'invalid_credential');
  t.equal(judged(passageOf(from('Origin', 'x', ...bearer('k')), rules)), 'ip_not_allowed');
  const pages = rulesOf([key('k', { allowedOrigins: new Set(), rateLimit: { requests: 1, windowSeconds: 1 } })]);
  t.equal(judged(passageOf(from('Origin', 'x', ...bearer('k')), pages)), 'origin_not_allowed');
  const over: PolicyWorld = {
    ...WORLD,
    rate: { take: () => ({ allowed: false, retryAfterSeconds: 7 }), close: () => {}, shared: () => null },
  };
  t.equal(judged(passageOf(from(...bearer('k')), pages), over), 'method_not_allowed');
  t.equal(judged(passageOf(factsOf({}, bearer('k')), pages), over), 'rate_limited');
});

t.test('a passage keeps what the steps found', async (t) => {
  const passage = passageOf(factsOf({ target: '/EVENT/inge%73t/?a=%zz' }, bearer('k')), rulesOf(KEYS));
  t.equal(judged(passage), 'passed');
  t.match(passage, {
    path: '/EVENT/ingest/',
    query: '?a=%zz',
    api: { name: 'integration' },
    wouldReject: null,
    endpoint: null,
    identity: { key: { id: 'k' } },
    route: { route: { pattern: '/event/ingest' } },
    client: { text: '192.0.2.1' },
  });
});

t.test('where a request goes is the same, whatever the one before it on its connection asked for', async (t) => {
  const onHost = (name: string) => apiRules({ hosts: new Set([name]) });
  const keys = [key('k', { type: 'read-write' })];
  const metrics = apiRules({ name: 'metrics', publishesKeys: true });
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
  const seen = (passage: Passage) => {
    const verdict = judged(passage);
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
    const alone = seen(passageOf(facts, rules));
    const others = steps.filter((step) => {
      const before = passageOf(step.facts, step.rules);
      judged(before);
      return !isDeepStrictEqual(seen(passageOf(facts, rules, placeOf(visitOf(before), facts, rules))), alone);
    });
    t.same(others, [], `${facts.method} ${facts.target} of ${facts.headers.host}`);
  }
});

t.test(
  'report mode of a key notes the first refusal after the credential; that of an API also the credential\u2019s',
  async (t) => {
    const reported = passageOf(factsOf({ method: 'DELETE' }, bearer('rep')), rulesOf(KEYS));
    t.equal(judged(reported), 'passed');
    t.match(reported, { wouldReject: { code: 'ip_not_allowed' } });
    const api = { integration: apiRules({ enforcement: 'report' }) };
    for (const [fields, reason] of [
      [[], 'missing_credential'],
      [bearer('off'), 'disabled'],
      [bearer('far'), 'ip_not_allowed'],
    ] as const) {
      const passage = passageOf(factsOf({}, fields), rulesOf(KEYS, api));
      t.equal(judged(passage), 'passed');
      t.equal(passage.wouldReject?.reason, reason);
    }
    const ambiguous = passageOf(factsOf({ target: '/a//b?c=%2e' }), rulesOf(KEYS, api));
    t.equal(judged(ambiguous), 'passed');
    t.match(ambiguous, { path: '/a//b', query: '?c=%2e', route: null, wouldReject: { code: 'ambiguous_path' } });
    t.equal(visitOf(ambiguous), null, 'and the next one is judged anew');
    t.equal(judged(passageOf(factsOf({ target: '/a//b' }), rulesOf(KEYS))), 'ambiguous_path');
  },
);

t.test('a preflight is answered for an admitted origin, whoever asks', async (t) => {
  const ask = (origin: string) =>
    factsOf({ method: 'OPTIONS' }, ['Origin', origin, 'Access-Control-Request-Method', 'POST']);
  const rules = rulesOf([key('k', { allowedOrigins: new Set(['https://a.example']) })]);
  const passage = passageOf(ask('https://a.example'), rules);
  t.equal(judged(passage), 'own');
  t.equal(judged(passageOf(ask('https://b.example'), rules)), 'cors_not_allowed');
});

t.test('which API serves a request: by path in every spelling, and by Host', async (t) => {
  const metrics = apiRules({ name: 'metrics' });
  const integration = apiRules({ hosts: new Set(['api.test', '[2001:db8::1]']) });
  const to = (target: string, host = 'api.test', rules = rulesOf(KEYS, { integration, metrics })) => {
    const facts = factsOf({ target });
    const passage = passageOf({ ...facts, headers: { ...facts.headers, host } }, rules);
    return [judged(passage), passage.api?.name];
  };
  for (const target of ['/metrics', '/METRICS/', '/metrics/query', '/m%65trics/x'])
    t.equal(to(target)[1], 'metrics', target);
  for (const target of ['/metricsx', '/a/metrics', '/']) t.equal(to(target)[1], 'integration', target);
  for (const host of ['API.test:80', 'api.test.', 'api.test.:80', '[2001:db8::1]:8080'])
    t.equal(to('/', host)[1], 'integration', host);
  const narrow = rulesOf(KEYS, {
    integration: apiRules(),
    metrics: apiRules({ name: 'metrics', hosts: new Set(['m.test']) }),
  });
  t.equal(to('/metrics/query', 'm.test', narrow)[1], 'metrics');
  t.same(to('/metrics/query', 'api.test', narrow), ['no_route', undefined]);
  t.equal(to('/', 'api.test', narrow)[1], 'integration');
  t.same(to('/', 'other.test'), ['no_route', undefined]);
  t.same(to('/metrics', 'api.test', rulesOf(KEYS)), ['no_route', undefined]);
  t.same(to('/', 'api.test', rulesOf(KEYS, { integration: null, metrics })), ['no_route', undefined]);
});

t.test('the key set is for everybody who reads, where there is one', async (t) => {
  const ask = (method: string, publishesKeys = true, path = '/.well-known/jwks.json') =>
    judged(
      passageOf(
        factsOf({ method, target: path }),
        rulesOf(KEYS, { metrics: apiRules({ name: 'metrics', hosts: new Set(['other.test']), publishesKeys }) }),
      ),
    );
  t.same(
    ['GET', 'HEAD', 'POST'].map((method) => ask(method)),
    ['own', 'own', 'no_route'],
  );
  t.equal(ask('GET', false), 'missing_credential');
  t.equal(
    judged(passageOf(factsOf({ method: 'GET', target: '/.well-known/jwks.json' }), rulesOf(KEYS))),
    'missing_credential',
  );
});

t.test('the token endpoint is found in every spelling, and takes no credential from a header', async (t) => {
  for (const target of ['/metrics/auth/token', '/METRICS/auth/token/']) {
    const passage = passageOf(factsOf({ target }), rulesOf(KEYS, { metrics: apiRules({ name: 'metrics' }) }));
    judged(passage);
    t.equal(passage.endpoint, 'token', target);
  }
});

t.test('a credential that can only be in the body is waited for, and its rung asked again', async (t) => {
  const BODY = { kind: 'body', name: 'api_key', find: compileMemberSearch('api_key') } as const;
  const integration = apiRules({ credential: [{ kind: 'bearer' }, BODY], looksIntoBody: true });
  const rules = rulesOf(KEYS, { integration });
  const reads: number[] = [];
  const announcing = (fields: readonly string[], text = '{}'): Passage => {
    const passage = passageOf(factsOf({}, ['Content-Length', '2', ...fields]), rules);
    passage.readBody = (maxBytes, then) => {
      reads.push(maxBytes);
      passage.body = Buffer.from(text);
      then(null);
    };
    return passage;
  };
  const found = announcing([], '{"api_key":"secret-of-k"}');
  t.equal(judged(found), 'passed');
  t.equal(found.identity?.key.id, 'k');
  t.same(reads, [1000]);
  t.equal(judged(announcing([], '{"api_key":"secret-of-far"}')), 'ip_not_allowed');
  t.equal(judged(announcing([])), 'missing_credential', 'not waited for twice');
  t.equal(judged(announcing(['Content-Type', 'text/html'])), 'unsupported_media_type', 'nor at all');
  t.equal(reads.length, 3);
  t.equal(judged(passageOf(factsOf(), rules)), 'missing_credential', 'no body');
  t.equal(judged(announcing(bearer('no'))), 'invalid_credential', 'the body of a wrong credential is not read');
  t.equal(judged(announcing(bearer('k'))), 'passed', 'nor that of a right one, here');
  t.equal(reads.length, 3);
});
