/** What Postern answers itself on the data port: the key set and tokens, each with its limits and its errors. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { compileAllowRule } from '../../src/keys/address-rule.ts';
import { compileRoutes } from '../../src/policy/route.ts';
import { createFailureLimiter } from '../../src/tokens/failure-limiter.ts';
import type { ApiTokens } from '../../src/tokens/tokens.ts';
import { createTokenEndpoint, MAX_TOKEN_BODY_BYTES } from '../../src/tokens/token-endpoint.ts';
import { createTokenService, type TokenService } from '../../src/tokens/token.ts';
import type { Key } from '../../src/keys/key.ts';
import { API_KEY, CLIENT_SECRET, metricsKey, secretOf, snapshotOf } from '../support/metrics-keys.ts';
import { serveGateway } from '../support/exchanges.ts';
import { apiRules, key, rulesOf } from '../support/passages.ts';
import { sendRaw } from '../support/raw-http.ts';
import { RawClient } from '../support/upstream.ts';

const NOBODY = compileAllowRule([]);

const JWKS = '{"keys":["\u00e4"]}';
const SETTINGS = { ttlSeconds: 900, secret: null, privateKeyFile: null, issuer: 'postern' };
const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';
const pair = (clientSecret = CLIENT_SECRET, environmentApiKey = API_KEY): string =>
  JSON.stringify({ clientSecret, environmentApiKey });
const formPair = (secret = CLIENT_SECRET, id = API_KEY): string =>
  String(new URLSearchParams({ grant_type: 'client_credentials', client_id: id, client_secret: secret }));

interface Given {
  readonly key?: Partial<Key>;
  readonly tokens?: Partial<TokenService>;
  readonly enforcement?: 'enforce' | 'report';
}

async function serving(t: Test, given: Given = {}) {
  const tokens = { ...createTokenService('metrics', SETTINGS, randomBytes(32)), jwks: JWKS, ...given.tokens };
  const service: ApiTokens = {
    service: tokens,
    endpoint: createTokenEndpoint('metrics', tokens, createFailureLimiter()),
  };
  const { enforcement = 'enforce' } = given;
  const metrics = apiRules({ name: 'metrics', publishesKeys: true, enforcement });
  const keys = snapshotOf(metricsKey({ secrets: [secretOf(CLIENT_SECRET)], ...given.key }));
  const served = await serveGateway(t, {
    rules: () => rulesOf([], { metrics, keys }),
    world: { tokensOf: () => service, keySet: () => JWKS },
  });
  const ask = (body: string, type = JSON_TYPE, fields = '', method = 'POST') =>
    sendRaw(
      served.port,
      `${method} /metrics/auth/token HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`,
    );
  return { ...served, ask };
}

t.test('the key set is served to whoever asks, for caches to keep, and its length alone to HEAD', async (t) => {
  const { port, outcomes } = await serving(t);
  for (const [method, body] of Object.entries({ GET: Buffer.from(JWKS).toString('latin1'), HEAD: '' })) {
    const got = await sendRaw(port, `${method} /.well-known/jwks.json HTTP/1.0\r\nHost: a\r\n\r\n`, {
      untilClose: true,
    });
    const headers = { 'cache-control': 'public, max-age=300', 'content-length': '15' };
    t.match(got, { status: 200, headers: { ...headers, 'content-type': 'application/jwk-set+json' } });
    t.match(got.headers['x-request-id'], /./);
    t.equal(got.body, body);
  }
  t.same(
    outcomes.map(({ status }) => status),
    [200, 200],
  );
});

t.test('a right pair gets a token, in the words it was asked in; nothing of it is forwarded', async (t) => {
  const { ask, outcomes, backend } = await serving(t);
  for (const [body, type, field] of [
    [pair(), JSON_TYPE, 'accessToken'],
    [formPair(), FORM, 'access_token'],
  ] as const) {
    const { status, body: text, headers } = await ask(body, type);
    t.same([status, headers['cache-control']], [200, 'no-store']);
    t.match((JSON.parse(text) as Record<string, string>)[field], /^[\w-]+\.[\w-]+\.[\w-]+$/);
  }
  t.match(outcomes, [
    { tokenIssued: true, keyId: 'metrics', status: 200 },
    { tokenIssued: true, keyId: 'metrics', status: 200 },
  ]);
  t.same(backend.requests, []);
});

t.test('a wrong pair is invalid_client, in the words it was asked in', async (t) => {
  const { ask, outcomes } = await serving(t);
  const json = await ask(pair('wrong'));
  t.match([json.status, JSON.parse(json.body)], [401, { code: 'invalid_client' }]);
  const form = await ask(formPair('wrong'), FORM);
  t.match([form.status, JSON.parse(form.body)], [401, { error: 'invalid_client' }]);
  t.match(form.headers['www-authenticate'], /^Basic /);
  t.match(outcomes, [
    { tokenIssued: false, refusal: { code: 'invalid_client' } },
    { tokenIssued: false, refusal: { code: 'invalid_client' } },
  ]);
});

t.test('a right pair from a wrong place is refused; in report mode it is noted', async (t) => {
  const key = { allowFrom: NOBODY };
  const { ask, outcomes } = await serving(t, { key });
  const json = await ask(pair());
  t.match([json.status, JSON.parse(json.body)], [403, { code: 'ip_not_allowed' }]);
  const form = await ask(formPair(), FORM);
  t.match([form.status, JSON.parse(form.body)], [403, { error: 'access_denied' }]);
  t.match(outcomes, [{ keyId: 'metrics' }, { keyId: 'metrics' }]);
  const browser = await serving(t);
  t.match(JSON.parse((await browser.ask(pair(), JSON_TYPE, 'Origin: https://a.example\r\n')).body), {
    code: 'browser_not_allowed',
  });
  for (const given of [{ key: { ...key, mode: 'report' } }, { key, enforcement: 'report' }] as const) {
    const reporting = await serving(t, given);
    t.equal((await reporting.ask(pair())).status, 200);
    t.match(reporting.outcomes, [{ tokenIssued: true, wouldReject: { code: 'ip_not_allowed' } }]);
  }
});

t.test('another method than POST is refused, and told which would do', async (t) => {
  const { ask } = await serving(t);
  for (const method of ['PUT', 'DELETE']) {
    const { status, headers } = await ask('', JSON_TYPE, '', method);
    t.same([status, headers['allow']], [405, 'POST']);
  }
});

t.test('ten wrong pairs, and the address waits: JSON, form and Basic alike', async (t) => {
  const basic = `Authorization: Basic ${Buffer.from(`${API_KEY}:wrong`).toString('base64')}\r\n`;
  for (const [wrong, form, fields] of [
    [pair('wrong'), JSON_TYPE, ''],
    [formPair('wrong'), FORM, ''],
    ['grant_type=client_credentials', FORM, basic],
  ] as const) {
    const { ask } = await serving(t);
    for (let n = 0; n < 10; n++) t.equal((await ask(wrong, form, fields)).status, 401);
    for (const [body, type] of [[pair()], [formPair(), FORM], ['{', 'text/plain']] as const) {
      const { status, headers } = await ask(body, type);
      t.same([status, Number(headers['retry-after']) > 0], [429, true]);
    }
  }
});

t.test('a body of the greatest size is judged, a greater one refused, however its size is told', async (t) => {
  const { port, outcomes } = await serving(t);
  const head = `POST /metrics/auth/token HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: ${JSON_TYPE}\r\n`;
  for (const more of [0, 1]) {
    const body = pair().padEnd(MAX_TOKEN_BODY_BYTES + more);
    await sendRaw(port, `${head}Content-Length: ${body.length}\r\n\r\n${body}`, { untilClose: true });
    const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    await sendRaw(port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}`, { untilClose: true });
  }
  t.same(
    outcomes.map(({ status }) => status),
    [200, 200, 413, 413],
  );
});

t.test('a client that goes away within its body is not judged', async (t) => {
  const { port, server, outcomes } = await serving(t);
  const client = new RawClient(t, port);
  client.write(
    `POST /metrics/auth/token HTTP/1.1\r\nHost: a\r\nContent-Type: ${JSON_TYPE}\r\nContent-Length: 9\r\n\r\n{`,
  );
  const [req] = await once(server, 'request');
  client.socket.destroy();
  await once(req, 'close').catch(() => {});
  t.match(outcomes, [{ status: 499, refusal: null }]);
});

t.test('a token that cannot be made is a mistake of this side', async (t) => {
  const { ask, outcomes } = await serving(t, {
    tokens: { issue: () => Promise.reject(new Error('as the test says')) },
  });
  t.equal((await ask(pair())).status, 500);
  t.match(outcomes, [{ status: 500, tokenIssued: false, refusal: { code: 'internal_error' } }]);
});

t.test('a key for sending may read by a preflight what pages must fetch, and nothing else', async (t) => {
  const router = compileRoutes([
    { method: 'POST', path: '/track' },
    { method: 'GET', path: '/flags', pages: true },
    { method: 'GET', path: '/other' },
    { method: 'HEAD', path: '/head', pages: true },
  ]);
  const { port } = await serveGateway(t, {
    rules: () => rulesOf([key('web')], { integration: apiRules({ router }) }),
    world: {},
  });
  const methods = async (path: string) => {
    const asked = `OPTIONS ${path} HTTP/1.1\r\nHost: a\r\nOrigin: https://a.example\r\nAccess-Control-Request-Method: GET\r\n\r\n`;
    const { status, headers } = await sendRaw(port, asked);
    t.equal(status, 204);
    return headers['access-control-allow-methods'];
  };
  t.equal(await methods('/track'), 'POST');
  t.equal(await methods('/other'), 'POST');
  t.equal(await methods('/flags'), 'GET, HEAD, POST');
  t.equal(await methods('/head'), 'GET, HEAD, POST');
});

t.test('a preflight is answered for the origin that asks, with what the API says of cookies', async (t) => {
  const named = { allowedOrigins: new Set(['https://a.example']) };
  const api = apiRules();
  const cors = { ...api.cors, allowCredentials: true, allowedHeaders: new Set(['x-a']) };
  const keys = [
    key('web', named),
    key('reads', { type: 'read-only', allowBrowsers: true, allowedOrigins: new Set(['https://b.example']) }),
  ];
  const { port, outcomes } = await serveGateway(t, { rules: () => rulesOf(keys, { integration: { ...api, cors } }) });
  const ask = (origin: string) =>
    sendRaw(
      port,
      `OPTIONS /x HTTP/1.1\r\nHost: a\r\nOrigin: ${origin}\r\nAccess-Control-Request-Method: GET\r\n` +
        'Access-Control-Request-Headers: X-A, X-B\r\n\r\n',
    );
  const one = await ask('https://a.example');
  t.match(one, {
    status: 204,
    body: /^$/,
    headers: {
      'access-control-allow-origin': 'https://a.example',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'x-a',
      'access-control-allow-credentials': 'true',
      'access-control-max-age': '60',
      connection: 'keep-alive',
    },
  });
  t.match(one.headers['x-request-id'], /./);
  t.equal((await ask('https://b.example')).headers['access-control-allow-methods'], 'GET, HEAD');
  t.match(outcomes, [
    { status: 204, refusal: null, tokenIssued: false },
    { status: 204, refusal: null, tokenIssued: false },
  ]);
});

t.test('a page of an admitted origin may read the answer with its token', async (t) => {
  const { ask } = await serving(t, { key: { allowBrowsers: true } });
  const { status, headers } = await ask(pair(), JSON_TYPE, 'Origin: https://a.example\r\n');
  t.same([status, headers['access-control-allow-origin']], [200, 'https://a.example']);
  const plain = await ask(pair());
  t.same([plain.status, plain.headers['access-control-allow-origin']], [200, undefined]);
});

t.test('errors of OAuth name the API, and a body of neither form is refused', async (t) => {
  const { ask, outcomes } = await serving(t);
  const { headers } = await ask(formPair('wrong'), FORM);
  t.match(headers['www-authenticate'], /realm="metrics"/);
  t.match(headers['x-request-id'], /./);
  for (const [body, type] of [
    ['a=b', 'text/plain'],
    ['{', JSON_TYPE],
    ['[]', JSON_TYPE],
  ] as const) {
    const { status } = await ask(body, type);
    t.ok([400, 415].includes(status), `${status} ${body}`);
  }
  t.ok(outcomes.every(({ tokenIssued }) => !tokenIssued));
});

t.test('what is asked of the token endpoint without a key is never let go on', async (t) => {
  const { ask, backend } = await serving(t, { enforcement: 'report' });
  for (const body of [pair('wrong'), '{}', '']) t.ok((await ask(body)).status >= 400);
  t.same(backend.requests, []);
});
