import { randomBytes } from 'node:crypto';
import t from 'tap';
import { authenticateByTokenOrSecret } from '../../src/tokens/authenticate.ts';
import { createTokenService, type TokenService } from '../../src/tokens/token.ts';
import type { Key } from '../../src/keys/key.ts';
import { compileMemberSearch } from '../../src/event-filter/member-value.ts';
import type { CredentialLocation } from '../../src/policy/ruleset.ts';
import type { Identity } from '../../src/policy/credential.ts';
import { allowed, refusal, refused, type Decision } from '../../src/refusal.ts';
import { apiRules, factsOf, passageOf, rulesOf } from '../support/passages.ts';
import { API_KEY, CLIENT_SECRET, identityOf, metricsKey, NOW, snapshotOf } from '../support/metrics-keys.ts';

const KEYS = snapshotOf(metricsKey());
const BEARER: CredentialLocation = { kind: 'bearer' };
const HEADER: CredentialLocation = { kind: 'header', name: 'x-token' };
const BODY: CredentialLocation = { kind: 'body', name: 'token', find: compileMemberSearch('token') };

/** A request with these fields, to an API that looks for credentials in these places. */
function caller(credential: readonly CredentialLocation[], fields: readonly string[]) {
  const passage = passageOf(factsOf({ target: '/metrics/query', now: NOW }, fields), rulesOf([], { keys: KEYS }));
  return Object.assign(passage, { api: apiRules({ name: 'metrics', credential }) });
}

/** A service that believes whatever it is asked about, and what it was asked. */
function believing() {
  const asked: [text: string, keys: unknown, now: number][] = [];
  const identity = allowed(identityOf(metricsKey()));
  const verify: TokenService['verify'] = ({ text }, keys, now) => {
    asked.push([text, keys, now]);
    return identity;
  };
  return { service: { verify, recall: () => null }, asked, identity };
}

t.test('a token is judged by the keys and the time of its own request, and known at once if it can be', async (t) => {
  const { service, asked, identity } = believing();
  t.equal(authenticateByTokenOrSecret(caller([HEADER], ['X-Token', 'aa.bb.cc']), service), identity);
  const [[text, keys, now]] = asked as [(typeof asked)[0]];
  t.same([text, now, asked.length], ['aa.bb.cc', NOW, 1]);
  t.equal(keys, KEYS);
});

const UNJUDGED: Readonly<
  Record<string, readonly [locations: readonly CredentialLocation[], fields: readonly string[]]>
> = {
  missing_credential: [[BEARER], []],
  'missing_credential in another place than the API names': [[BEARER], ['X-Token', 'aa']],
  'malformed_request for a repeated one': [[HEADER], ['X-Token', 'aa', 'X-Token', 'aa']],
  'invalid_credential for two that differ': [
    [BEARER, HEADER],
    ['Authorization', 'Bearer aa', 'X-Token', 'bb'],
  ],
};
for (const [what, [locations, fields]] of Object.entries(UNJUDGED))
  t.test(`no token is judged where none is plainly shown: ${what}`, async (t) => {
    const { service, asked } = believing();
    t.match(authenticateByTokenOrSecret(caller(locations, fields), service), { refusal: { code: what.split(' ')[0] } });
    t.same(asked, []);
  });

t.test('a token in a body that was read is judged like any other', async (t) => {
  const { service, asked } = believing();
  const passage = caller([BEARER, BODY], []);
  passage.bodyText = allowed(Buffer.from('{"token":"aa.bb.cc"}'));
  t.match(authenticateByTokenOrSecret(passage, service), { ok: true });
  t.equal(asked[0]?.[0], 'aa.bb.cc');
});

t.test('a verdict that takes time is waited for, and a refusal is passed on as it is', async (t) => {
  const verdict = Promise.resolve(refused(refusal('overloaded', 'as the test says')));
  t.equal(
    authenticateByTokenOrSecret(caller([HEADER], ['X-Token', 'aa']), { verify: () => verdict, recall: () => null }),
    verdict,
  );
});

t.test('a client secret or an API key in place of a token opens nothing; the token made of them does', async (t) => {
  const settings = { ttlSeconds: 900, secret: null, privateKeyFile: null, issuer: 'postern' };
  const service = createTokenService('metrics', settings, randomBytes(32));
  const { accessToken } = await service.issue(identityOf(metricsKey()), NOW);
  for (const [shown, ok] of [
    [CLIENT_SECRET, false],
    [API_KEY, false],
    [accessToken, true],
  ] as const)
    t.equal(
      (await authenticateByTokenOrSecret(caller([BEARER], ['Authorization', `Bearer ${shown}`]), service)).ok,
      ok,
    );
});

t.test('the secret of a key opens what it is for, unless the key wants a token to be shown', async (t) => {
  const { service, asked } = believing();
  const shown = (key: Partial<Key>, api = 'orders') => {
    const keys = snapshotOf(metricsKey({ type: 'read-only', apis: null, accessToken: 'allowed', ...key }));
    const facts = factsOf({ now: NOW }, ['Authorization', `Bearer ${CLIENT_SECRET}`]);
    const passage = Object.assign(passageOf(facts, rulesOf([], { keys })), { api: apiRules({ name: api }) });
    const decision = authenticateByTokenOrSecret(passage, service) as Decision<Identity>;
    return decision.ok ? 'accepted' : decision.refusal.reason;
  };
  t.equal(shown({}), 'accepted');
  t.equal(shown({ accessToken: 'never' }), 'accepted');
  t.equal(shown({ accessToken: 'required' }), 'unknown');
  t.equal(shown({}, 'metrics'), 'unknown', 'a key that does not say so is not for metrics');
  t.equal(shown({ apis: new Set(['billing']) }), 'unknown');
  t.equal(shown({ enabled: false }), 'disabled');
  t.same(asked, [], 'what is a secret is not taken for a token');
});

t.test('a token that was seen before is looked for first', async (t) => {
  const { service, asked } = believing();
  const known = refused(refusal('overloaded', 'as the test says'));
  const shown = caller([BEARER], ['Authorization', 'Bearer aa.bb.cc']);
  t.equal(authenticateByTokenOrSecret(shown, { ...service, recall: () => known }), known);
  t.same(asked, []);
});
