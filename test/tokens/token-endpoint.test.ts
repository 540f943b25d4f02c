import { randomBytes } from 'node:crypto';
import t from 'tap';
import type { Key } from '../../src/keys/key.ts';
import { createFailureLimiter } from '../../src/tokens/failure-limiter.ts';
import { createTokenEndpoint, type TokenHead } from '../../src/tokens/token-endpoint.ts';
import { ShownCredential } from '../../src/policy/shown-credential.ts';
import { createTokenService } from '../../src/tokens/token.ts';
import type { RefusalCode } from '../../src/refusal.ts';
import { API_KEY, CLIENT_SECRET, metricsKey, NOW, secretOf, snapshotOf } from '../support/metrics-keys.ts';
import { askToken, type TokenOutcome } from '../support/token-asking.ts';

const JSON_FORM = 'application/json';
const OAUTH_FORM = 'application/x-www-form-urlencoded';
const jsonBody = (clientSecret: string, environmentApiKey: string) =>
  JSON.stringify({ clientSecret, environmentApiKey });
const oauthBody = (client_secret: string, client_id: string) =>
  String(new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret }));

function setUp(...keys: readonly Key[]) {
  const snapshot = snapshotOf(...(keys.length === 0 ? [metricsKey()] : keys));
  const service = createTokenService(
    'metrics',
    { ttlSeconds: 900, secret: null, privateKeyFile: null, issuer: 'postern' },
    randomBytes(32),
  );
  const endpoint = createTokenEndpoint('metrics', service, createFailureLimiter());
  const ask = async (body: string, contentType: string | undefined = JSON_FORM, more: Partial<TokenHead> = {}) =>
    await askToken(
      endpoint,
      {
        method: 'POST',
        contentType,
        contentEncoding: undefined,
        authorization: undefined,
        address: '192.0.2.1',
        requestId: 'r1',
        keys: snapshot,
        now: NOW,
        ...more,
      },
      Buffer.from(body),
    );
  return { ask, endpoint, service, snapshot };
}

const headersOf = (outcome: TokenOutcome): Record<string, string> => {
  const headers = outcome.answer?.headers ?? [];
  return Object.fromEntries(
    headers.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), headers[i + 1] as string]] : [])),
  );
};
const bodyOf = (outcome: TokenOutcome): Record<string, unknown> =>
  JSON.parse(outcome.answer?.body ?? 'null') as Record<string, unknown>;
const codeOf = (outcome: TokenOutcome): string => (outcome.kind === 'refused' ? outcome.refusal.code : 'issued');

for (const [form, body, names] of [
  [JSON_FORM, jsonBody(CLIENT_SECRET, API_KEY), ['accessToken', 'tokenType', 'expiresIn']],
  [OAUTH_FORM, oauthBody(CLIENT_SECRET, API_KEY), ['access_token', 'token_type', 'expires_in']],
] as const)
  t.test(`the right pair gets a token that works: ${form}`, async (t) => {
    const { ask, service, snapshot } = setUp();
    const outcome = await ask(body, form);
    t.match(outcome, { kind: 'issued', identity: { key: { id: 'metrics' } }, answer: { status: 200 } });
    t.match(headersOf(outcome), {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      pragma: 'no-cache',
      'x-request-id': 'r1',
    });
    const [token, type, lifetime] = names.map((name) => bodyOf(outcome)[name]);
    t.same([type, lifetime], ['Bearer', 900]);
    t.same(Object.keys(bodyOf(outcome)), names);
    t.match(await service.verify(new ShownCredential(token as string), snapshot, NOW), { ok: true });
  });

const WRONG_PAIRS: Readonly<
  Record<string, readonly [keys: readonly Key[], secret: string, apiKey: string, reason: string]>
> = {
  'an unknown secret': [[metricsKey()], 'wrong', API_KEY, 'invalid_client'],
  'another API key': [[metricsKey()], CLIENT_SECRET, 'wrong', 'invalid_client'],
  'the two exchanged': [[metricsKey()], API_KEY, CLIENT_SECRET, 'invalid_client'],
  'a hash as the secret': [[metricsKey()], metricsKey().secrets[0]?.digest as string, API_KEY, 'invalid_client'],
  'a hash as the API key': [[metricsKey()], CLIENT_SECRET, metricsKey().apiKeyDigest as string, 'invalid_client'],
  'a key of another API': [[metricsKey({ type: 'read-write', apis: null })], CLIENT_SECRET, API_KEY, 'invalid_client'],
  'a key without API key': [[metricsKey({ apiKeyDigest: null })], CLIENT_SECRET, API_KEY, 'invalid_client'],
  'a disabled key': [[metricsKey({ enabled: false })], CLIENT_SECRET, API_KEY, 'disabled'],
  'an expired key': [[metricsKey({ expiresAt: NOW })], CLIENT_SECRET, API_KEY, 'expired'],
  'an expired secret': [[metricsKey({ secrets: [secretOf(CLIENT_SECRET, NOW)] })], CLIENT_SECRET, API_KEY, 'expired'],
};

t.test('every wrong pair gets one answer, and the log tells them apart', async (t) => {
  const answers = new Set<string>();
  for (const [name, [keys, secret, apiKey, reason]] of Object.entries(WRONG_PAIRS)) {
    const { ask } = setUp(...keys);
    const json = await ask(jsonBody(secret, apiKey), JSON_FORM);
    t.match(json, { kind: 'refused', answer: null, refusal: { code: 'invalid_client', reason } }, name);
    t.notMatch(JSON.stringify(json), secret);
    const oauth = await ask(oauthBody(secret, apiKey), OAUTH_FORM);
    answers.add(JSON.stringify(oauth.answer));
    t.match(oauth, { kind: 'refused', answer: { status: 401 }, refusal: { code: 'invalid_client', reason } }, name);
    t.match(headersOf(oauth)['www-authenticate'], /^Basic /);
    t.equal(headersOf(oauth)['cache-control'], 'no-store');
    t.equal(bodyOf(oauth)['error'], 'invalid_client');
  }
  t.equal(answers.size, 1);
});

const BAD: readonly (readonly [
  what: string,
  body: string,
  contentType: string | undefined,
  code: RefusalCode,
  status: number,
])[] = [
  ['a missing field', '{"clientSecret":"s"}', JSON_FORM, 'invalid_request', 400],
  ['no JSON', '{', JSON_FORM, 'invalid_request', 400],
  ['a form with the type of JSON', oauthBody('s', 'k'), JSON_FORM, 'invalid_request', 400],
  ['JSON with the type of a form', jsonBody('s', 'k'), OAUTH_FORM, 'invalid_request', 400],
  ['no type', jsonBody('s', 'k'), undefined, 'unsupported_media_type', 415],
  ['another type', jsonBody('s', 'k'), 'text/plain', 'unsupported_media_type', 415],
];
for (const [what, body, contentType, code, status] of BAD)
  t.test(`a bad request is no guess: ${what}`, async (t) => {
    const { ask } = setUp();
    for (let n = 0; n < 20; n++) {
      // `undefined` would ask for the default.
      const outcome = await ask(body, contentType, { contentType });
      t.equal(codeOf(outcome), code);
      if (outcome.answer !== null) t.equal(outcome.answer.status, status);
    }
  });

t.test('a coded body is refused', async (t) => {
  const { ask } = setUp();
  const body = jsonBody(CLIENT_SECRET, API_KEY);
  t.equal(codeOf(await ask(body, JSON_FORM, { contentEncoding: 'gzip' })), 'unsupported_encoding');
  t.equal(codeOf(await ask(body, JSON_FORM, { contentEncoding: 'Identity' })), 'issued');
});

t.test('other errors of RFC 6749 in its own words', async (t) => {
  const { ask } = setUp();
  const other = await ask('grant_type=password', OAUTH_FORM);
  t.match(other.answer, { status: 400 });
  t.equal(bodyOf(other)['error'], 'unsupported_grant_type');
  const scope = await ask(`${oauthBody(CLIENT_SECRET, API_KEY)}&scope=all`, OAUTH_FORM);
  t.equal(bodyOf(scope)['error'], 'invalid_scope');
});

t.test('after ten failures an address waits, whatever it sends, and others do not', async (t) => {
  const { ask, endpoint, snapshot } = setUp();
  for (let n = 0; n < 10; n++)
    t.equal(codeOf(await ask(jsonBody('wrong', API_KEY), JSON_FORM, { now: NOW + n })), 'invalid_client');
  const right = jsonBody(CLIENT_SECRET, API_KEY);
  t.match(await ask(right, JSON_FORM, { now: NOW + 1000 }), { refusal: { code: 'rate_limited', retryAfter: 59 } });
  const oauth = await ask(oauthBody(CLIENT_SECRET, API_KEY), OAUTH_FORM, { now: NOW + 1000 });
  t.match(oauth, { refusal: { code: 'rate_limited' }, answer: { status: 429 } });
  t.equal(headersOf(oauth)['retry-after'], '59');
  t.equal(codeOf(await ask('{', 'text/plain', { now: NOW + 1000 })), 'rate_limited');
  const head = {
    method: 'POST',
    contentType: JSON_FORM,
    contentEncoding: undefined,
    authorization: undefined,
    address: '192.0.2.1',
    requestId: 'r1',
    keys: snapshot,
    now: NOW + 1000,
  };
  t.match(endpoint.open(head), { code: 'rate_limited' });
  t.match(endpoint.open({ ...head, method: 'GET' }), { code: 'rate_limited' }, 'by any method');
  t.match(endpoint.open({ ...head, method: 'GET', address: '192.0.2.2' }), { code: 'method_not_supported' });
  t.equal(codeOf(await ask(right, JSON_FORM, { now: NOW + 1000, address: '192.0.2.2' })), 'issued');
  t.equal(codeOf(await ask(right, JSON_FORM, { now: NOW + 60_000 })), 'issued');
});

const basic = (apiKey: string, clientSecret: string) =>
  `Basic ${Buffer.from(`${apiKey}:${clientSecret}`).toString('base64')}`;
const GUESSES = {
  'in JSON': (ask: Ask, now: number) => ask(jsonBody('wrong', API_KEY), JSON_FORM, { now }),
  'in a form': (ask: Ask, now: number) => ask(oauthBody('wrong', API_KEY), OAUTH_FORM, { now }),
  'by HTTP Basic': (ask: Ask, now: number) =>
    ask('grant_type=client_credentials', OAUTH_FORM, { now, authorization: basic(API_KEY, 'wrong') }),
};
type Ask = ReturnType<typeof setUp>['ask'];
for (const [how, guess] of Object.entries(GUESSES))
  t.test(`ten wrong pairs are the last for a minute: ${how}`, async (t) => {
    const { ask } = setUp();
    for (let n = 0; n < 10; n++) t.equal(codeOf(await guess(ask, NOW + n)), 'invalid_client');
    for (const again of Object.values(GUESSES)) t.equal(codeOf(await again(ask, NOW + 10)), 'rate_limited');
    t.equal(codeOf(await guess(ask, NOW + 59_999)), 'rate_limited');
    t.equal(codeOf(await ask(jsonBody(CLIENT_SECRET, API_KEY), JSON_FORM, { now: NOW + 60_000 })), 'issued');
  });

t.test('many guesses at once are no way around the ten', async (t) => {
  const { ask } = setUp();
  const outcomes = await Promise.all(Array.from({ length: 50 }, async () => await ask(jsonBody('wrong', API_KEY))));
  t.equal(outcomes.filter((outcome) => codeOf(outcome) === 'invalid_client').length, 10);
});

t.test('a body without a type is a form, or nothing', async (t) => {
  const { endpoint, snapshot } = setUp();
  const head: TokenHead = {
    method: 'POST',
    contentType: undefined,
    contentEncoding: undefined,
    authorization: undefined,
    address: '192.0.2.1',
    requestId: 'r1',
    keys: snapshot,
    now: NOW,
  };
  t.equal(endpoint.formOf(head, Buffer.from(oauthBody(CLIENT_SECRET, API_KEY))), 'oauth');
  t.equal(endpoint.formOf(head, Buffer.from(jsonBody(CLIENT_SECRET, API_KEY))), null);
  t.equal(endpoint.formOf({ ...head, contentType: JSON_FORM }, Buffer.from('a=b')), 'json', 'what is said holds');
});
