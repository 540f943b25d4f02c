/** What each of the rungs that need no body learns and refuses. Their order is held in rungs.test. */
import t from 'tap';
import { compileMemberSearch } from '../../src/event-filter/member-value.ts';
import { compileAllowRule, compileDenyRule } from '../../src/keys/address-rule.ts';
import type { Key } from '../../src/keys/key.ts';
import { compileNameReader } from '../../src/lib/query.ts';
import { compileApiChoice } from '../../src/policy/api-choice.ts';
import { compileRoutes } from '../../src/policy/route.ts';
import type { ApiRules } from '../../src/policy/ruleset.ts';
import type { RateVerdict } from '../../src/rate-store/rate-store.ts';
import { allowed } from '../../src/refusal.ts';
import {
  checkAddressOfApi,
  checkDenied,
  checkPreflight,
  judgeListed,
  judgeScope,
  takeCredential,
  takeFromRate,
  takePath,
  takeRoute,
  type PolicyWorld,
} from '../../src/request/checks.ts';
import type { Identified, Passage, Routed } from '../../src/request/passage.ts';
import type { Verdict } from '../../src/request/run.ts';
import { apiRules, bearer, factsOf, key, passageOf, rulesOf, WORLD, type RulesChange } from '../support/passages.ts';

const HERE = [{ address: '192.0.2.0/24' }];
const ELSEWHERE = [{ address: '203.0.113.7' }];
const OPEN = compileRoutes([
  { method: 'POST', path: '/open', public: true },
  { method: 'POST', path: '/closed' },
]);
const ANY = compileRoutes([{ method: 'POST', path: '/files/**' }]);
const IN_QUERY = { kind: 'query', name: 'api_key', isName: compileNameReader('api_key') } as const;
const IN_BODY = { kind: 'body', name: 'api_key', find: compileMemberSearch('api_key') } as const;

const told = (verdict: unknown): unknown =>
  typeof verdict === 'object' && verdict !== null && 'code' in verdict ? verdict.code : verdict;

/** A passage that has found its API and route. */
function routed(api: Partial<ApiRules> = {}, target = '/open', fields: readonly string[] = []): Routed {
  const rules = rulesOf([key('k')], { integration: apiRules({ router: OPEN, ...api }) });
  const passage = passageOf(factsOf({ target }, fields), rules);
  takePath(passage);
  takeRoute(passage);
  return passage as Routed;
}

const identified = (change: Partial<Key>, passage: Passage): Identified => {
  const one = key('k', change);
  return Object.assign(passage as Routed, { identity: { key: one, secret: one.secrets[0] as Key['secrets'][0] } });
};

t.test('whoever is on the list of the port is refused, and whoever is not goes on', async (t) => {
  const verdict = (denyFrom: RulesChange['denyFrom']) =>
    told(checkDenied(passageOf(factsOf(), rulesOf([], denyFrom === undefined ? {} : { denyFrom }))));
  t.equal(verdict(undefined), 'passed');
  t.equal(verdict(compileDenyRule(ELSEWHERE)), 'passed');
  t.equal(verdict(compileDenyRule(HERE)), 'address_denied');
});

t.test('an API is for the addresses that it names, less those that it keeps out; the key set is for all', async (t) => {
  const verdict = (api: Partial<ApiRules>, endpoint: Passage['endpoint'] = null) =>
    told(checkAddressOfApi(Object.assign(routed(api), { endpoint })));
  t.equal(verdict({}), 'passed');
  t.equal(verdict({ allowFrom: compileAllowRule(HERE) }), 'passed');
  t.equal(verdict({ allowFrom: compileAllowRule(ELSEWHERE) }), 'ip_not_allowed');
  t.equal(verdict({ denyFrom: compileDenyRule(HERE) }), 'address_denied');
  t.equal(verdict({ denyFrom: compileDenyRule(ELSEWHERE) }), 'passed');
  t.equal(verdict({ allowFrom: compileAllowRule(HERE), denyFrom: compileDenyRule(HERE) }), 'address_denied');
  t.equal(verdict({ allowFrom: compileAllowRule(ELSEWHERE) }, 'key set'), 'passed');
  t.equal(verdict({ allowFrom: compileAllowRule(ELSEWHERE) }, 'token'), 'ip_not_allowed');
});

t.test('a preflight needs one origin, of a key for this API', async (t) => {
  const verdict = (fields: readonly string[], change: Partial<Key> = {}, method = 'OPTIONS') => {
    const passage = passageOf(factsOf({ method }, fields), rulesOf([key('k', change)]));
    takePath(passage);
    takeRoute(passage);
    return told(checkPreflight(passage));
  };
  const asks = ['Access-Control-Request-Method', 'POST'];
  const origin = ['Origin', 'https://a.example'];
  t.equal(verdict([...origin, ...asks]), 'own');
  t.equal(verdict([...origin, ...asks], {}, 'POST'), 'passed');
  t.equal(verdict(origin), 'passed', 'OPTIONS alone');
  t.equal(verdict(asks), 'passed');
  t.equal(verdict([...origin, ...origin, ...asks]), 'cors_not_allowed');
  t.equal(verdict([...origin, ...asks], { apis: new Set(['other']) }), 'cors_not_allowed');
  t.equal(verdict([...origin, ...asks], { allowedOrigins: new Set(['https://b.example']) }), 'cors_not_allowed');
});

t.test(
  'a path that can be read in two ways goes on as it came where an API lets it, and is refused elsewhere',
  async (t) => {
    const take = (target: string, api: Partial<ApiRules>) => {
      const passage = passageOf(factsOf({ target }), rulesOf([], { integration: apiRules(api) }));
      const verdict = told(takePath(passage));
      return [verdict, passage.isAmbiguous, passage.path, passage.query];
    };
    const report = { enforcement: 'report' } as const;
    t.same(take('/a//b?c=%2e?d', report), ['ambiguous_path', true, '/a//b', '?c=%2e?d']);
    t.same(take('/a//b', report), ['ambiguous_path', true, '/a//b', '']);
    t.same(take('/a//b?c', {}), ['ambiguous_path', false, '', '']);
    t.equal(take('/a//b', { ...report, hosts: new Set(['api.test']) })[1], true);
    t.equal(take('/a//b', { ...report, hosts: new Set(['other.test']) })[1], false);
    t.same(take('/a/b?c', report), ['passed', false, '/a/b', '?c']);
    const chosen = compileApiChoice([
      { rules: apiRules({ ...report, name: 'legacy', router: ANY }), paths: ['/'] },
      { rules: apiRules({ name: 'strict' }), paths: ['/strict'] },
    ]);
    const found = (target: string) => {
      const rules = rulesOf([], { choice: chosen });
      const passage = passageOf(factsOf({ target }), rules);
      takePath(passage);
      if (passage.api !== null) t.equal(takeRoute(passage), 'passed');
      return [passage.api?.name, passage.route];
    };
    for (const target of ['/files//x', '/files/a%2fb', '/files/./x', '/files/x;y', '/files/x%00'])
      t.equal(found(target)[1], null, `by no route, whichever it could be: ${target}`);
    t.equal(found('/files//x')[0], 'legacy');
    t.same(found('/x//../strict'), [undefined, null], 'and not where a stricter API could be meant');
  },
);

t.test('who is known is not asked again, and nobody is asked on a public route', async (t) => {
  let asked = 0;
  const world: PolicyWorld = { ...WORLD, authenticate: (passage) => ((asked += 1), WORLD.authenticate(passage)) };
  t.equal(takeCredential(identified({}, routed({}, '/closed')), world), 'passed');
  t.equal(takeCredential(routed({}, '/open'), world), 'passed');
  t.equal(asked, 0);
  t.equal(told(takeCredential(routed({}, '/closed'), world)), 'missing_credential');
  t.equal(
    told(takeCredential(routed({ credential: [IN_QUERY] }, '/open?api_key=a&api_key=b'), world)),
    'malformed_request',
  );
  t.equal(told(takeCredential(routed({ credential: [IN_QUERY] }, '/open?api_key=a'), world)), 'passed');
  t.equal(asked, 1);
});

t.test('a credential that takes time to judge is kept when it was judged, also one in the body', async (t) => {
  const value = { key: key('late'), secret: { id: 's', digest: '', expiresAt: null } };
  const later = { ...WORLD, authenticate: () => Promise.resolve(allowed(value)) };
  const passage = routed({}, '/closed');
  t.equal(await takeCredential(passage, later), 'passed');
  t.equal(passage.identity, value);
  let first = true;
  const inBody: PolicyWorld = {
    ...WORLD,
    authenticate: (one) => (first ? ((first = false), WORLD.authenticate(one)) : Promise.resolve(allowed(value))),
  };
  const waiting = routed({ credential: [IN_BODY], looksIntoBody: true }, '/closed', ['Content-Length', '2']);
  waiting.bodyText = allowed(Buffer.from('{}'));
  t.equal(await takeCredential(waiting, inBody), 'passed');
  t.equal(waiting.identity, value);
  t.equal(waiting.lookedThrough, true);
});

t.test('a key takes one from its own limit, and is told what is left', async (t) => {
  const rateLimit = { requests: 3, windowSeconds: 9 };
  const take = async (verdict: RateVerdict | Promise<RateVerdict>, change: Partial<Key> = { rateLimit }) => {
    const asked: unknown[] = [];
    const rate = { ...WORLD.rate, take: (...given: unknown[]) => (asked.push(given), verdict) };
    const passage = identified(change, passageOf(factsOf(), rulesOf([])));
    return { result: (await takeFromRate(passage, { ...WORLD, rate })) as Verdict, quota: passage.quota, asked };
  };
  const fits: RateVerdict = { allowed: true, remaining: 2, resetSeconds: 5 };
  const full: RateVerdict = { allowed: false, retryAfterSeconds: 4 };
  t.same(await take(fits), { result: 'passed', quota: fits, asked: [['k', rateLimit]] });
  t.same((await take(Promise.resolve(fits))).quota, fits);
  for (const refused of [await take(full), await take(Promise.resolve(full))]) {
    t.match(refused.result, {
      code: 'rate_limited',
      retryAfter: 4,
      rule: 'rateLimit of key k',
      why: 'key k is over its limit of 3 requests in 9 s',
    });
    t.same(refused.quota, { remaining: 0, resetSeconds: 4 });
  }
  t.same(await take(full, {}), { result: 'passed', quota: null, asked: [] }, 'without a limit nobody is asked');
});

t.test('a body of no type gets one of everybody who may not use every method', async (t) => {
  const named = (verdict: Verdict) => (typeof verdict === 'object' && 'apply' in verdict ? 'named' : told(verdict));
  const body = ['Content-Length', '2'];
  const scope = (change: Partial<Key>) => named(judgeScope(identified(change, routed({}, '/closed', body))));
  t.equal(scope({}), 'named');
  t.equal(scope({ type: 'read-write' }), 'passed');
  t.equal(scope({ type: 'read-only' }), 'method_not_allowed');
  const listed = (api: Partial<ApiRules>, target: string) => named(judgeListed(routed(api, target, body)));
  t.equal(listed({}, '/closed'), 'passed');
  t.equal(listed({ unlisted: 'refuse' }, '/closed'), 'named');
  t.equal(listed({ unlisted: 'refuse' }, '/none'), 'route_not_allowed');
  t.equal(listed({}, '/none'), 'passed');
  t.equal(listed({}, '/open'), 'named');
  t.equal(listed({}, '/open?_method=PUT'), 'method_not_allowed', 'on a public route nobody changes the method');
  t.equal(listed({}, '/closed?_method=PUT'), 'passed', 'elsewhere the key says');
});

t.test('the key set is asked for by reading, whatever the Host; the token endpoint is no route', async (t) => {
  const metrics = apiRules({ name: 'metrics', publishesKeys: true, hosts: new Set(['m.test']) });
  const take = (method: string, target: string, change: RulesChange) => {
    const passage = passageOf(factsOf({ method, target }, bearer('k')), rulesOf([], change));
    takePath(passage);
    return [told(takeRoute(passage)), passage.endpoint, passage.api?.name, passage.route?.route.pattern];
  };
  const set = '/.well-known/jwks.json';
  t.same(take('GET', set, { metrics }), ['passed', 'key set', 'metrics', undefined]);
  t.same(take('HEAD', set, { metrics }), ['passed', 'key set', 'metrics', undefined]);
  t.same(take('PUT', set, { metrics }), ['no_route', 'key set', 'metrics', undefined]);
  t.same(take('GET', set, {}), ['passed', null, 'integration', undefined]);
  const token = apiRules({ name: 'metrics' });
  t.same(take('POST', '/metrics/auth/token', { metrics: token }), ['passed', 'token', 'metrics', undefined]);
  t.same(take('POST', '/metrics/query', { metrics: token })[1], null);
  t.same(take('POST', '/event/ingest', {}), ['passed', null, 'integration', '/event/ingest']);
});
