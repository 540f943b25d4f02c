import { randomBytes } from 'node:crypto';
import t from 'tap';
import { authenticateByToken } from '../../src/tokens/authenticate.ts';
import { createTokenService, type TokenService } from '../../src/tokens/token.ts';
import { compileMemberSearch } from '../../src/event-filter/member-value.ts';
import type { CredentialLocation } from '../../src/policy/ruleset.ts';
import { allowed, refusal, refused } from '../../src/refusal.ts';
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
  return { service: { verify }, asked, identity };
}

t.test('a token is judged by the keys and the time of its own request, and known at once if it can be', async (t) => {
  const { service, asked, identity } = believing();
  t.equal(authenticateByToken(caller([HEADER], ['X-Token', 'aa.bb.cc']), service), identity);
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
    t.match(authenticateByToken(caller(locations, fields), service), { refusal: { code: what.split(' ')[0] } });
    t.same(asked, []);
  });

t.test('a token in a body that was read is judged like any other', async (t) => {
  const { service, asked } = believing();
  const passage = caller([BEARER, BODY], []);
  passage.bodyText = allowed(Buffer.from('{"token":"aa.bb.cc"}'));
  t.match(authenticateByToken(passage, service), { ok: true });
  t.equal(asked[0]?.[0], 'aa.bb.cc');
});

t.test('a verdict that takes time is waited for, and a refusal is passed on as it is', async (t) => {
  const verdict = Promise.resolve(refused(refusal('overloaded', 'as the test says')));
  t.equal(authenticateByToken(caller([HEADER], ['X-Token', 'aa']), { verify: () => verdict }), verdict);
});

t.test('a client secret or an API key in place of a token opens nothing; the token made of them does', async (t) => {
  const settings = { ttlSeconds: 900, secret: null, privateKeyFile: null, issuer: 'postern' };
  const service = createTokenService(settings, randomBytes(32));
  const { accessToken } = await service.issue(identityOf(metricsKey()), NOW);
  for (const [shown, ok] of [
    [CLIENT_SECRET, false],
    [API_KEY, false],
    [accessToken, true],
  ] as const)
    t.equal((await authenticateByToken(caller([BEARER], ['Authorization', `Bearer ${shown}`]), service)).ok, ok);
});
