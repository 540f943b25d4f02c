import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import t from 'tap';
import { API_KEY, CLIENT_SECRET, startMetrics } from '../support/metrics-api.ts';

const insecure = { [oauth.allowInsecureRequests]: true };

t.test(
  'an OAuth client library obtains a token that anybody can verify by the key set, and queries with it',
  async (t) => {
    const file = join(t.testdir(), 'key.pem');
    writeFileSync(
      file,
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
    );
    const { postern, query } = await startMetrics(t, {
      api: { token: { privateKeyFile: file, issuer: 'https://p.example' } },
    });
    const as = { issuer: 'https://p.example', token_endpoint: `${postern.url}/metrics/auth/token` };
    const client = { client_id: API_KEY };
    for (const authenticate of [oauth.ClientSecretBasic, oauth.ClientSecretPost]) {
      const response = await oauth.clientCredentialsGrantRequest(as, client, authenticate(CLIENT_SECRET), {}, insecure);
      t.ok(response.headers.get('x-request-id'));
      const { access_token } = await oauth.processClientCredentialsResponse(as, client, response);
      const jwks = createRemoteJWKSet(new URL(`${postern.url}/.well-known/jwks.json`));
      await jwtVerify(access_token, jwks, {
        issuer: 'https://p.example',
        audience: 'metrics',
        typ: 'at+jwt',
        algorithms: ['ES256'],
      });
      t.equal((await query(access_token)).status, 200);
      const wrong = await oauth.clientCredentialsGrantRequest(as, client, authenticate('wrong'), {}, insecure);
      t.same([wrong.status, ((await wrong.json()) as { error: string }).error], [401, 'invalid_client']);
    }
  },
);

t.test('with a shared secret there is no key set', async (t) => {
  const { postern } = await startMetrics(t, { api: { token: { secret: 'a shared secret of more than 32 bytes' } } });
  const answer = await fetch(`${postern.url}/.well-known/jwks.json`);
  t.ok(answer.status === 404 || answer.status === 401, String(answer.status));
});

const FORM = 'grant_type=client_credentials';
const basicOf = (id: string, secret: string): string => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
const BASIC = basicOf(API_KEY, CLIENT_SECRET);
const IN_BODY = `${FORM}&client_id=${API_KEY}&client_secret=${CLIENT_SECRET}`;

t.test('what OAuth clients send gets a token, however they write the type of the form', async (t) => {
  const { postern } = await startMetrics(t);
  const ask = async (headers: Record<string, string>, body: string) => {
    const bytes = new TextEncoder().encode(body);
    const answer = await fetch(`${postern.url}/metrics/auth/token`, { method: 'POST', headers, body: bytes });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  for (const type of [
    'application/x-www-form-urlencoded;charset=UTF-8',
    'application/x-www-form-urlencoded; charset="utf-8"',
    'APPLICATION/X-WWW-FORM-URLENCODED',
    'application/x-www-form-urlencoded;',
  ])
    t.match(
      await ask({ 'content-type': type, accept: 'application/json' }, IN_BODY),
      { status: 200, body: { token_type: 'Bearer' } },
      type,
    );
  t.match(await ask({ authorization: BASIC }, FORM), { status: 200, body: { access_token: String } }, 'no type');
  t.match(await ask({}, IN_BODY), { status: 200, body: { access_token: String } }, 'no type, no Basic');
  t.match(await ask({ 'content-type': 'application/x-www-form-urlencoded' }, `${IN_BODY}&audience=a&resource=b`), {
    status: 200,
  });
});

t.test('a secret by Basic is read form-encoded, and as it is', async (t) => {
  const secret = 'a+b%2Fc / 100%';
  const { postern } = await startMetrics(t, { key: { secrets: [{ value: secret }] } });
  for (const sent of [secret, encodeURIComponent(secret), encodeURIComponent(secret).replaceAll('%20', '+')]) {
    const headers = { authorization: basicOf(API_KEY, sent), 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await fetch(`${postern.url}/metrics/auth/token`, { method: 'POST', headers, body: FORM });
    t.equal(answer.status, 200, sent);
    await answer.arrayBuffer();
  }
});

t.test('whatever is refused to an OAuth client is an OAuth error', async (t) => {
  const { postern } = await startMetrics(t);
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const cases: readonly (readonly [string, string, Record<string, string>, string | null, number, string])[] = [
    ['405', 'GET', { authorization: BASIC }, null, 405, 'invalid_request'],
    ['405 PUT', 'PUT', form, FORM, 405, 'invalid_request'],
    ['413', 'POST', form, `${FORM}&x=${'x'.repeat(20_000)}`, 413, 'invalid_request'],
    [
      '415 charset',
      'POST',
      { 'content-type': `${form['content-type']}; charset=utf-16` },
      FORM,
      415,
      'invalid_request',
    ],
    ['415 type', 'POST', { 'content-type': 'text/plain', authorization: BASIC }, FORM, 415, 'invalid_request'],
    ['415 coding', 'POST', { ...form, 'content-encoding': 'gzip' }, FORM, 415, 'invalid_request'],
    ['400', 'POST', form, FORM, 400, 'invalid_request'],
    ['400 grant', 'POST', form, 'grant_type=password', 400, 'unsupported_grant_type'],
    ['401', 'POST', { ...form, authorization: basicOf('x', 'y') }, FORM, 401, 'invalid_client'],
    ['403', 'POST', { ...form, origin: 'https://page.example' }, IN_BODY, 403, 'access_denied'],
  ];
  for (const [name, method, headers, body, status, error] of cases) {
    const answer = await fetch(`${postern.url}/metrics/auth/token`, { method, headers, body });
    t.equal(answer.status, status, name);
    t.match(await answer.json(), { error, error_description: String }, name);
    t.match(answer.headers.get('content-type'), /^application\/json/, name);
    t.equal(answer.headers.get('cache-control'), 'no-store', name);
    if (status === 405) t.equal(answer.headers.get('allow'), 'POST');
  }
  const json = await fetch(`${postern.url}/metrics/auth/token`);
  t.equal(json.status, 405);
  t.match(json.headers.get('content-type'), /problem\+json/, 'others get the usual problem document');
  await json.arrayBuffer();
});
