import t from 'tap';
import { jsonToken, oauthRefusal, oauthToken, type TokenAnswer } from '../../src/tokens/token-answer.ts';
import { REFUSALS, refusal, type Refusal, type RefusalCode } from '../../src/refusal.ts';

const TOKEN = { accessToken: 'aa.bb.cc', expiresIn: 900 };
const OWN_HEADERS = [
  'Content-Type',
  'application/json',
  'Cache-Control',
  'no-store',
  'Pragma',
  'no-cache',
  'X-Request-Id',
  'id-1',
];
/** What stands in the operator's log. */
const WHY = '192.0.2.1 is not on the allow-list of key dashboard';
const of = (code: RefusalCode, more: Partial<Refusal> = {}): Refusal => ({
  ...refusal('internal_error', WHY),
  code,
  keyId: 'dashboard',
  ...more,
});
const bodyOf = (answer: TokenAnswer) => JSON.parse(answer.body) as Record<string, unknown>;

/** What a token request can be refused with, and how RFC 6749 5.2 and its extensions call that. */
const ERRORS: Partial<Record<RefusalCode, string>> = {
  invalid_client: 'invalid_client',
  ip_not_allowed: 'access_denied',
  browser_not_allowed: 'access_denied',
  origin_not_allowed: 'access_denied',
  rate_limited: 'temporarily_unavailable',
  invalid_request: 'invalid_request',
  unsupported_media_type: 'invalid_request',
  unsupported_encoding: 'invalid_request',
  internal_error: 'server_error',
};

t.test('a token is told in the words of the form that asked for it, and no cache may keep it', async (t) => {
  t.strictSame(jsonToken('id-1', TOKEN), {
    status: 200,
    headers: OWN_HEADERS,
    body: '{"accessToken":"aa.bb.cc","tokenType":"Bearer","expiresIn":900}',
  });
  t.strictSame(oauthToken('id-1', TOKEN), {
    status: 200,
    headers: OWN_HEADERS,
    body: '{"access_token":"aa.bb.cc","token_type":"Bearer","expires_in":900}',
  });
});

for (const [code, error] of Object.entries(ERRORS) as [RefusalCode, string][])
  t.test(`an OAuth client is told ${error} for ${code}, with the public text alone`, async (t) => {
    const answer = oauthRefusal('id-1', of(code), 'orders');
    t.equal(answer.status, REFUSALS[code].status);
    t.strictSame(bodyOf(answer), { error, error_description: REFUSALS[code].detail });
    t.match(bodyOf(answer)['error_description'], /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/, 'the characters of RFC 6749 5.2');
    t.notMatch(JSON.stringify(answer), /192\.0\.2\.1|dashboard/);
    const challenge = ['WWW-Authenticate', 'Basic realm="orders", charset="UTF-8"'];
    t.strictSame(answer.headers, code === 'invalid_client' ? [...OWN_HEADERS, ...challenge] : OWN_HEADERS);
  });

t.test('a refusal that OAuth has no word for is called an invalid request', async (t) => {
  for (const code of Object.keys(REFUSALS) as RefusalCode[])
    if (!(code in ERRORS)) t.equal(bodyOf(oauthRefusal('id-1', of(code), 'orders'))['error'], 'invalid_request', code);
});

t.test('an error that the request itself explains goes before the reason, and keeps its status', async (t) => {
  const told = { error: 'invalid_scope', why: 'Access tokens have no scopes here.' } as const;
  const answer = oauthRefusal('id-1', { ...of('invalid_request'), oauth: told }, 'orders');
  t.strictSame(bodyOf(answer), { error: 'invalid_scope', error_description: told.why });
  t.equal(answer.status, 400);
});

t.test('a client that has to wait is told how long, even if that is no time at all', async (t) => {
  for (const retryAfter of [0, 59]) {
    const { headers } = oauthRefusal('id-1', of('rate_limited', { retryAfter }), 'orders');
    t.strictSame(headers, [...OWN_HEADERS, 'Retry-After', String(retryAfter)]);
  }
});

t.test('the challenge of one answer does not turn up in the next', async (t) => {
  oauthRefusal('id-1', of('invalid_client', { retryAfter: 1 }), 'orders');
  t.strictSame(jsonToken('id-1', TOKEN).headers, OWN_HEADERS);
});
