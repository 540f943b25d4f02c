import t from 'tap';
import { compileAllowRule } from '../../src/keys/address-rule.ts';
import { explain, type Explanation } from '../../src/request/explain.ts';
import { JUDGING } from '../../src/request/rungs.ts';
import { compileRoutes } from '../../src/policy/route.ts';
import type { Facts } from '../../src/policy/facts.ts';
import type { Key } from '../../src/keys/key.ts';
import { compileTrustedProxies } from '../../src/policy/trusted-proxies.ts';
import { parseAddress } from '../../src/lib/address.ts';
import { apiRules, bearer, factsOf, key, rulesOf, WORLD } from '../support/passages.ts';

const NOBODY = compileAllowRule([]);

const ask = (keys: readonly Key[], facts: Facts, events: readonly string[] = []) =>
  explain({ facts, rules: rulesOf(keys), events, authenticate: WORLD.authenticate });

t.test('every step has a verdict and a reason', async (t) => {
  const told = await ask([key('k')], factsOf({}, bearer('k')));
  t.same(
    told.steps.map(({ step }) => step),
    Object.values(JUDGING).map(({ name }) => name),
  );
  t.ok(told.steps.every(({ verdict, reason }) => verdict === 'passed' && reason !== ''));
  t.same(
    Object.values(told).filter((value) => value === undefined),
    [],
    'what is not known is null',
  );
  t.match(told, {
    outcome: 'allowed',
    status: null,
    code: null,
    keyId: 'k',
    clientAddress: '192.0.2.1',
    chain: [],
    removedEvents: 0,
  });
});

t.test('the first refusal ends it, and says why', async (t) => {
  const told = await ask([key('k', { allowFrom: NOBODY })], factsOf({ method: 'PUT' }, bearer('k')));
  t.match(told, { outcome: 'refused', status: 403, code: 'ip_not_allowed', keyId: 'k' });
  const verdicts = Object.fromEntries(told.steps.map(({ step, verdict }) => [step, verdict]));
  t.match(verdicts, {
    credential: 'passed',
    'client address': 'refused',
    'browser guard': 'not_reached',
    events: 'not_reached',
  });
  t.match(told.steps.find(({ verdict }) => verdict === 'refused')?.reason, /192\.0\.2\.1.*key k/);
});

t.test('report mode refuses nothing', async (t) => {
  const told = await ask([key('k', { mode: 'report' })], factsOf({ method: 'PUT' }, bearer('k')));
  t.match(told, { outcome: 'allowed', status: null, code: null });
  t.equal(told.steps.find(({ step }) => step === 'scope')?.verdict, 'would_reject');
});

t.test('events are judged by the filter of real bodies', async (t) => {
  const limited = (change: Partial<Key> = {}) => [key('k', { allowedEvents: new Set(['a']), ...change })];
  const single = factsOf({}, bearer('k'));
  const batch = factsOf({ target: '/event/ingest/batch' }, bearer('k'));
  t.match(await ask(limited(), single, ['a']), { outcome: 'allowed' });
  t.match(await ask(limited(), single, ['b']), { outcome: 'refused', code: 'event_not_allowed', status: 403 });
  for (const names of [
    ['a', 'b'],
    ['b', 'a'],
    ['a', 'a', 'b'],
  ])
    t.match(await ask(limited(), single, names), { outcome: 'refused', code: 'event_not_allowed' }, names.join());
  t.match(await ask(limited(), single, ['a', 'a']), { outcome: 'allowed', removedEvents: 0 });
  t.match(await ask(limited(), single), { outcome: 'allowed' });
  t.match(await ask(limited(), batch, ['a', 'b', 'c']), { outcome: 'allowed', removedEvents: 2 });
  t.match(await ask(limited(), batch, ['b']), { outcome: 'refused' });
  t.match(await ask(limited({ disallowedEvents: 'reject' }), batch, ['a', 'b']), { outcome: 'refused' });
  t.match(await ask(limited({ mode: 'report' }), single, ['b']), {
    outcome: 'allowed',
    steps: { 14: { verdict: 'would_reject' } },
  });
  t.match(await ask(limited({ mode: 'report' }), single, ['a', 'b']), { steps: { 14: { verdict: 'would_reject' } } });
  t.match(await ask([key('k')], single, ['b']), { outcome: 'allowed' });
});

t.test('a preflight, and the way through proxies', async (t) => {
  const preflight = factsOf({ method: 'OPTIONS' }, [
    'Origin',
    'https://a.example',
    'Access-Control-Request-Method',
    'POST',
  ]);
  t.match(await ask([key('k')], preflight), { outcome: 'allowed', status: 204 });
  const rules = {
    ...rulesOf([key('k')]),
    trustedProxies: { ...compileTrustedProxies([]), has: (address: unknown) => address !== null },
  };
  const facts = factsOf({ peer: { text: '10.0.0.1', address: parseAddress('10.0.0.1'), isUnix: false } }, [
    'X-Forwarded-For',
    '10.0.0.3, 10.0.0.2',
    ...bearer('k'),
  ]);
  const told = await explain({
    facts,
    rules,
    events: [],
    authenticate: WORLD.authenticate,
  });
  t.match(told, { clientAddress: '10.0.0.3', chain: ['10.0.0.2', '10.0.0.3'] });
});

t.test('of a public route nothing is asked of a key', async (t) => {
  const router = compileRoutes([{ method: 'GET', path: '/health', public: true }]);
  const rules = rulesOf([key('k', { enabled: false })], { integration: apiRules({ router, unlisted: 'refuse' }) });
  const steps = async (target: string) => {
    const facts = factsOf({ method: 'GET', target }, bearer('k'));
    const told = await explain({ facts, rules, events: [], authenticate: WORLD.authenticate });
    return { ...told, reasons: Object.fromEntries(told.steps.map(({ step, reason }) => [step, reason])) };
  };
  const open = await steps('/health');
  t.match(open, { outcome: 'allowed', keyId: null });
  t.match(open.reasons, {
    credential: 'the route is public',
    'client address': 'the route is public',
    scope: 'the route is public',
    'listed routes': 'route GET /health',
    rate: 'the route is public',
    events: 'the route carries no events',
  });
  t.match(await steps('/healthz'), { outcome: 'refused', code: 'invalid_credential' });
});

t.test('no secret is repeated', async (t) => {
  t.notMatch(JSON.stringify(await ask([key('k')], factsOf({ target: '/x?secret-of-k' }, bearer('k')))), 'secret-of-k');
  t.notMatch(JSON.stringify(await ask([], factsOf({}, bearer('k')))), 'secret-of-k');
});

t.test('a made-up request has no body in which its credential could be', async (t) => {
  const rules = rulesOf([key('k')], { integration: apiRules({ credential: [], looksIntoBody: true }) });
  const facts = factsOf({}, ['Content-Length', '2']);
  const told = await explain({ facts, rules, events: [], ...WORLD });
  t.match(told, { outcome: 'refused', status: 401, code: 'missing_credential' });
});

t.test('what Postern answers itself is said, and nothing after it is reached', async (t) => {
  const rules = rulesOf([key('k')], { metrics: apiRules({ name: 'metrics', publishesKeys: true }) });
  for (const [target, endpoint] of [
    ['/metrics/auth/token', 'token'],
    ['/.well-known/jwks.json', 'key set'],
  ] as const) {
    const { steps, outcome, status } = await explain({
      facts: factsOf({ method: 'GET', target }),
      rules,
      events: [],
      ...WORLD,
    });
    const at = steps.findIndex(({ step }) => step === 'own endpoint');
    t.strictSame(steps[at], {
      step: 'own endpoint',
      verdict: 'answered',
      reason: `Postern answers this itself: ${endpoint}`,
      rule: null,
    });
    t.ok(steps.slice(at + 1).every(({ verdict }) => verdict === 'not_reached'));
    t.same([outcome, status], ['allowed', null]);
  }
});

t.test('a step that passed names the one entry of a list that let it, and no other step does', async (t) => {
  const allowFrom = compileAllowRule([{ address: '192.0.2.0/24' }]);
  const { steps } = await ask([key('k', { allowFrom })], factsOf({}, bearer('k')));
  t.same(
    steps.flatMap(({ step, rule }) => (rule === null ? [] : [`${step}: ${rule}`])),
    ['route: route POST /event/ingest', 'client address: allowFrom of key k: 192.0.2.0/24'],
  );
});

/** The reason of each step that was asked, by its name. */
const reasonsOf = ({ steps }: Explanation): Record<string, string> =>
  Object.fromEntries(
    steps.filter(({ verdict }) => verdict !== 'not_reached').map(({ step, reason }) => [step, reason]),
  );

t.test('each step says in words why it passed', async (t) => {
  const limited = key('k', { allowedEvents: new Set(['a']), rateLimit: { requests: 3, windowSeconds: 9 } });
  const told = await ask([limited], factsOf({ target: '/event/inge%73t' }, bearer('k')), ['a']);
  t.same(reasonsOf(told), {
    'request form': 'well-formed HTTP/1.1',
    path: 'matched and forwarded as /event/ingest',
    route: 'integration API, route POST /event/ingest',
    'plain form': 'nothing is said twice, and no body comes where none is usual',
    'denied addresses': '192.0.2.1 is not on listen.denyFrom',
    'addresses of the API': '192.0.2.1 may use the integration API',
    preflight: 'not a CORS preflight',
    'own endpoint': 'for the backend',
    credential: 'secret s-k of key k (write-only)',
    'client address': '192.0.2.1 may use key k',
    'browser guard': 'not sent by a web page',
    scope: 'a write-only key may use POST here',
    'listed routes': 'the integration API admits what no route lists',
    rate: '3 requests in 9 s (not counted here)',
    events: '1 forwarded, 0 removed',
  });
  const page = await ask([key('k')], factsOf({ target: '/other?a' }, [...bearer('k'), 'Origin', 'https://a.example']));
  t.match(reasonsOf(page), {
    path: 'matched and forwarded as /other with its query',
    route: 'integration API, no listed route',
    'browser guard': 'the key admits this origin',
    rate: 'no limit',
    events: 'the key may send all events',
  });
});

t.test('of events it says what would become of them, or that there are none', async (t) => {
  const events = async (change: Partial<Key>, names: string[], target = '/event/ingest/batch', method = 'POST') => {
    const limited = key('k', { type: 'read-write', allowedEvents: new Set(['a']), ...change });
    return reasonsOf(await ask([limited], factsOf({ target, method }, bearer('k')), names))['events'];
  };
  t.equal(await events({}, ['a', 'b']), '1 forwarded, 1 removed');
  t.match(await events({ mode: 'report' }, ['a', 'b']), /would be removed|event_not_allowed/);
  t.equal(await events({ mode: 'report' }, ['a']), '1 forwarded, 0 would be removed');
  t.equal(await events({}, []), 'no event was named');
  t.equal(await events({}, ['a'], '/profile'), 'the route carries no events');
});

t.test('in report mode what enforcement would answer itself goes to the backend', async (t) => {
  const rules = rulesOf([key('k')], { integration: apiRules({ enforcement: 'report' }) });
  const facts = factsOf({ method: 'OPTIONS' }, [
    'Origin',
    'https://a.example',
    'Access-Control-Request-Method',
    'POST',
  ]);
  const told = await explain({ facts, rules, events: [], ...WORLD });
  t.match(told, { outcome: 'allowed', status: null });
  t.equal(reasonsOf(told)['preflight'], 'enforcement would answer it; here the backend does');
});

t.test('a preflight is told as such, and a refusal by its rule and its key', async (t) => {
  const facts = factsOf({ method: 'OPTIONS' }, [
    'Origin',
    'https://a.example',
    'Access-Control-Request-Method',
    'POST',
  ]);
  const answered = (await ask([key('k')], facts)).steps.find(({ step }) => step === 'preflight');
  t.same(answered, {
    step: 'preflight',
    verdict: 'answered',
    reason: 'Postern answers this itself: preflight',
    rule: null,
  });
  const allowFrom = compileAllowRule([{ address: '203.0.113.7' }]);
  const far = await ask([key('k', { allowFrom })], factsOf({}, bearer('k')));
  const refused = far.steps.find(({ verdict }) => verdict === 'refused');
  t.match(refused, { step: 'client address', rule: 'allowFrom of key k', reason: /^ip_not_allowed: / });
  t.match(await ask([key('k', { enabled: false })], factsOf({}, bearer('k'))), {
    keyId: 'k',
    code: 'invalid_credential',
  });
  t.match(await ask([key('k')], factsOf()), { keyId: null, code: 'missing_credential', status: 401 });
});

t.test('of an API in report mode the refusals before the key are told as what they would be', async (t) => {
  const rules = rulesOf([key('k', { enabled: false })], { integration: apiRules({ enforcement: 'report' }) });
  const told = await explain({ facts: factsOf({}, bearer('k')), rules, events: [], ...WORLD });
  t.match(told, { outcome: 'allowed', code: null, status: null, keyId: 'k' });
  const steps = Object.fromEntries(told.steps.map(({ step, verdict }) => [step, verdict]));
  t.match(steps, { credential: 'would_reject', scope: 'not_reached', events: 'not_reached' });
});

t.test('no limit is used up by asking, however small it is', async (t) => {
  const strict = [key('k', { rateLimit: { requests: 1, windowSeconds: 3600 } })];
  for (let n = 0; n < 3; n++) t.equal((await ask(strict, factsOf({}, bearer('k')))).outcome, 'allowed');
});
