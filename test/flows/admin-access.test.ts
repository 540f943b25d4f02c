/** Who reaches the admin port: tokens, sessions, guesses, rebound names and other web pages. */
import { request } from 'node:http';
import t, { type Test } from 'tap';
import { ADMIN_TOKEN, adminClient } from '../support/admin-client.ts';
import { startPostern } from '../support/postern.ts';

async function started(t: Test, admin: Record<string, unknown> = {}) {
  let now = Date.now();
  const postern = await startPostern(t, {
    config: { admin: { token: ADMIN_TOKEN, ...admin }, apis: { integration: { upstream: 'http://127.0.0.1:9' } } },
    keys: [{ id: 'server', type: 'read-write', secret: 'the-secret-of-the-server' }],
    now: () => now,
  });
  const client = await adminClient(t, postern.adminUrl);
  return { ...postern, ...client, advance: (seconds: number) => void (now += seconds * 1000) };
}

/** A request with exactly these headers; fetch would set Host and Origin by itself. */
function send(
  url: string,
  {
    method = 'GET',
    headers = {},
    body = '',
    from = '127.0.0.1',
  }: {
    method?: string;
    headers?: Record<string, string | string[]>;
    body?: string;
    from?: string;
  } = {},
): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, localAddress: from }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
    });
    sent.on('error', reject).end(body);
  });
}

const bearer = { authorization: `Bearer ${ADMIN_TOKEN}` };
const json = { 'content-type': 'application/json' };
const signIn = (adminUrl: string, headers: Record<string, string> = {}) =>
  send(`${adminUrl}/api/session`, {
    method: 'POST',
    headers: { ...json, ...headers },
    body: JSON.stringify({ token: ADMIN_TOKEN }),
  });
const cookieOf = (answer: { headers: Record<string, unknown> }): string =>
  (answer.headers['set-cookie'] as string[])[0]?.split(';', 1)[0] ?? '';

t.test('without a token in the configuration there is no API, no description and no console', async (t) => {
  const postern = await startPostern(t, {
    config: { apis: { integration: { upstream: 'http://127.0.0.1:9' } } },
    keys: [],
  });
  for (const path of ['/', '/api/keys', '/api/session', '/openapi.json', '/api/config'])
    t.equal((await fetch(postern.adminUrl + path, { headers: bearer })).status, 404, path);
  t.equal((await fetch(`${postern.adminUrl}/healthz`)).status, 200);
});

t.test('a missing or wrong token is 401 everywhere, and metrics and probes need none', async (t) => {
  const { document, call, adminUrl } = await started(t);
  for (const [path, methods] of Object.entries(document.paths))
    for (const method of Object.keys(methods)) {
      if (method === 'head' || (path === '/api/session' && method !== 'get')) continue;
      const answer = await call(method.toUpperCase(), path.replaceAll(/\{\w+\}/g, 'server'), { token: null });
      t.match([answer.status, answer.body?.code], [401, 'missing_token'], `${method} ${path}`);
      t.match(answer.headers.get('www-authenticate'), /^Bearer/);
    }
  t.equal((await call('GET', '/api/keys', { token: 'wrong' })).body.code, 'invalid_token');
  for (const authorization of ['Basic eDp5', 'Bearer', `Token ${ADMIN_TOKEN}`])
    t.equal((await send(`${adminUrl}/api/keys`, { headers: { authorization } })).status, 401, authorization);
  const twice = { authorization: [`Bearer ${ADMIN_TOKEN}`, 'Bearer wrong'] };
  t.equal((await send(`${adminUrl}/api/keys`, { headers: twice })).status, 401);
  t.equal((await send(`${adminUrl}/api/keys`, { headers: { authorization: `bearer  ${ADMIN_TOKEN}` } })).status, 200);
  for (const path of ['/metrics', '/healthz', '/readyz']) t.equal((await fetch(adminUrl + path)).status, 200);
});

t.test('HEAD is no way around the token: each operation that can be read, and the console', async (t) => {
  const { document, adminUrl } = await started(t);
  const readable = Object.entries(document.paths).filter(([, methods]) => 'get' in methods);
  t.ok(readable.length >= 8, `${readable.length} operations`);
  for (const [n, [template]] of readable.entries()) {
    const url = adminUrl + template.replaceAll(/\{\w+\}/g, 'server');
    const isStream = template.endsWith('/stream');
    // Ten wrong tokens slow an address.
    const tries: Record<string, string>[] = n < 9 ? [{}, { authorization: 'Bearer wrong' }] : [{}];
    for (const headers of tries) {
      const { status, headers: told, text } = await send(url, { method: 'HEAD', headers });
      t.equal(status, isStream ? 405 : 401, `HEAD ${template} ${JSON.stringify(headers)}`);
      t.equal(told['etag'], undefined);
      t.equal(text, '');
    }
  }
  for (const [template] of readable.filter(([path]) => !path.includes('{') && !/session|stream/.test(path)))
    t.equal((await send(adminUrl + template, { method: 'HEAD', headers: bearer })).status, 200, template);
});

t.test('signing in leaves a line: who, from where, and never the token or the cookie', async (t) => {
  const { adminUrl, lines, logText } = await started(t);
  t.equal((await signIn(adminUrl)).status, 204);
  const cookie = cookieOf(await signIn(adminUrl)).slice('postern_session='.length);
  const refused = await send(`${adminUrl}/api/session`, { method: 'POST', headers: json, body: '{"token":"wrong"}' });
  t.equal(refused.status, 401);
  const audited = lines.filter(({ msg }) => msg === 'audit');
  t.equal(audited.length, 2, 'one for each that came in');
  for (const line of audited) {
    t.same(Object.keys(line).toSorted(), ['action', 'address', 'level', 'msg', 'session', 'time', 'who']);
    t.match(line, { action: 'sign_in', who: 'admin', address: '127.0.0.1', session: /^[0-9a-f]{12}$/ });
  }
  t.not(audited[0]?.['session'], audited[1]?.['session']);
  t.notMatch(logText(), ADMIN_TOKEN);
  t.notMatch(logText(), cookie);
});

t.test('an address that guesses is slowed, others and open sessions are not', async (t) => {
  const { call, adminUrl, advance, logText } = await started(t);
  const cookie = cookieOf(await signIn(adminUrl));
  for (let i = 0; i < 10; i++) t.equal((await call('GET', '/api/keys', { token: `guess-${i}` })).status, 401);
  const slowed = await call('GET', '/api/keys');
  t.match([slowed.status, slowed.body.code], [429, 'too_many_failures'], 'the right token as well');
  t.equal(slowed.headers.get('retry-after'), '60');
  t.equal((await signIn(adminUrl)).status, 429);
  t.match(
    (await send(`${adminUrl}/metrics`)).text,
    /^postern_admin_sign_in_failures_total 12$/m,
    'those that were not looked at count as well',
  );
  t.equal((await send(`${adminUrl}/api/keys`, { headers: { cookie } })).status, 200, 'a session is no guess');
  t.equal((await send(`${adminUrl}/api/keys`, { headers: bearer, from: '127.0.0.2' })).status, 200);
  advance(60);
  t.equal((await call('GET', '/api/keys')).status, 200);
  t.match(logText(), /admin_token_refused/);
  t.notMatch(logText(), /guess-/);
});

t.test('missing tokens are not guesses', async (t) => {
  const { call } = await started(t);
  for (let i = 0; i < 30; i++) t.equal((await call('GET', '/api/keys', { token: null })).status, 401);
  t.equal((await call('GET', '/api/keys')).status, 200);
});

t.test('a session opens the API to its cookie, until it is ended', async (t) => {
  const { adminUrl, logText } = await started(t);
  const signedIn = await signIn(adminUrl);
  t.equal(signedIn.status, 204);
  t.match(signedIn.headers['set-cookie'], [
    /^postern_session=[\w-]{43}; Path=\/api; Max-Age=43200; HttpOnly; SameSite=Strict$/,
  ]);
  const cookie = cookieOf(signedIn);
  t.equal((await send(`${adminUrl}/api/keys`, { headers: { cookie } })).status, 200);
  const session = await send(`${adminUrl}/api/session`, { headers: { cookie } });
  t.ok(Date.parse(JSON.parse(session.text).expiresAt) > Date.now());
  t.equal((await send(`${adminUrl}/api/keys`, { headers: { cookie: `${cookie}x` } })).status, 401);
  const out = await send(`${adminUrl}/api/session`, { method: 'DELETE', headers: { cookie } });
  t.equal(out.status, 204);
  t.match(out.headers['set-cookie'], [/^postern_session=; Path=\/api; Max-Age=0/]);
  t.equal((await send(`${adminUrl}/api/keys`, { headers: { cookie } })).status, 401);
  t.notMatch(logText(), cookie.slice('postern_session='.length));
});

t.test('a session ends when it rests for an hour, and after twelve in any case', async (t) => {
  const { adminUrl, advance } = await started(t);
  const status = async (cookie: string) => (await send(`${adminUrl}/api/keys`, { headers: { cookie } })).status;
  const resting = cookieOf(await signIn(adminUrl));
  const used = cookieOf(await signIn(adminUrl));
  for (let minutes = 0; minutes < 11 * 60; minutes += 55) {
    advance(55 * 60);
    t.equal(await status(used), 200);
  }
  t.equal(await status(resting), 401);
  advance(55 * 60);
  t.equal(await status(used), 200);
  advance(5 * 60);
  t.equal(await status(used), 401);
});

t.test('signing in never takes over an id that was there, and ends the old session', async (t) => {
  const { adminUrl } = await started(t);
  const fixed = `postern_session=${'A'.repeat(43)}`;
  const first = cookieOf(await signIn(adminUrl, { cookie: fixed }));
  t.not(first, fixed);
  t.equal((await send(`${adminUrl}/api/keys`, { headers: { cookie: fixed } })).status, 401);
  const second = cookieOf(await signIn(adminUrl, { cookie: first }));
  t.equal((await send(`${adminUrl}/api/keys`, { headers: { cookie: first } })).status, 401);
  t.equal((await send(`${adminUrl}/api/keys`, { headers: { cookie: second } })).status, 200);
});

t.test('a change with a session needs what another page cannot send', async (t) => {
  const { adminUrl } = await started(t);
  const cookie = cookieOf(await signIn(adminUrl));
  const purge = (headers: Record<string, string>) =>
    send(`${adminUrl}/api/cache/purge`, { method: 'POST', headers: { cookie, ...headers } });
  t.equal((await purge({})).status, 403);
  t.equal((await purge({ 'content-type': 'text/plain' })).status, 403);
  t.equal((await purge(json)).status, 204);
  t.equal((await purge({ 'x-requested-with': 'console' })).status, 204);
  t.equal((await send(`${adminUrl}/api/cache/purge`, { method: 'POST', headers: bearer })).status, 204);
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const crossForm = await send(`${adminUrl}/api/session`, {
    method: 'POST',
    headers: form,
    body: `token=${ADMIN_TOKEN}`,
  });
  t.equal(crossForm.status, 415);
});

t.test('a name that was rebound to the admin port is refused', async (t) => {
  const { adminUrl, sidecar } = await started(t, { hosts: ['console.example.com'] });
  const { port } = sidecar.admin;
  const status = async (host: string | string[], path = '/api/keys') =>
    (await send(adminUrl + path, { headers: { ...bearer, host } })).status;
  for (const host of [
    `127.0.0.1:${port}`,
    `localhost:${port}`,
    `[::1]:${port}`,
    'LOCALHOST',
    'console.example.com',
    'console.example.com:8443',
  ])
    t.equal(await status(host), 200, host);
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    'localhost.evil.example',
    'localhost.',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    'localhost:x',
    '2130706433',
    '0.0.0.0',
  ])
    for (const path of ['/api/keys', '/', '/openapi.json', '/api/session', '/nothing'])
      t.equal(await status(host, path), 421, `${host} ${path}`);
  for (const path of ['/metrics', '/healthz', '/readyz']) t.equal(await status('evil.example', path), 200, path);
});

t.test('requests of other web pages are refused', async (t) => {
  const { adminUrl, sidecar } = await started(t, { hosts: ['console.example.com'] });
  const own = `127.0.0.1:${sidecar.admin.port}`;
  const status = async (headers: Record<string, string>, method = 'GET', path = '/api/keys') =>
    (await send(adminUrl + path, { method, headers: { ...bearer, ...headers } })).status;
  for (const origin of [`http://${own}`, `https://${own}`, 'https://console.example.com'])
    t.equal(await status({ origin }), 200, origin);
  const foreign = [
    'https://evil.example',
    'null',
    'http://127.0.0.1:3000',
    'http://127.0.0.1',
    `http://localhost:${sidecar.admin.port}`,
    `http://${own}.evil.example`,
    'https://console.example.com:8443',
    `ftp://${own}`,
    '',
  ];
  for (const origin of foreign) t.equal(await status({ origin }), 403, origin);
  for (const site of ['cross-site', 'same-site', 'nonsense'])
    for (const [method, path] of [
      ['GET', '/api/keys'],
      ['POST', '/api/session'],
      ['POST', '/api/cache/purge'],
      ['GET', '/api/rejections/stream'],
      ['GET', '/openapi.json'],
    ] as const)
      t.equal(await status({ 'sec-fetch-site': site }, method, path), 403, `${site} ${method} ${path}`);
  for (const site of ['same-origin', 'none']) t.equal(await status({ 'sec-fetch-site': site }), 200);
  const followed = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  t.not(await status(followed, 'GET', '/'), 403, 'a link to the console may be followed');
  t.equal(await status(followed, 'GET', '/api/keys'), 403);
  t.equal(await status({ ...followed, 'sec-fetch-dest': 'iframe' }, 'GET', '/'), 403);
});

t.test('no answer lets another page read it, frame it or run script in it', async (t) => {
  const { adminUrl } = await started(t);
  for (const path of ['/', '/api/keys', '/openapi.json', '/api/nothing']) {
    const { headers } = await send(adminUrl + path, { headers: bearer });
    t.match(headers['content-security-policy'], /^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'$/);
    t.equal(headers['x-content-type-options'], 'nosniff');
    t.equal(headers['referrer-policy'], 'no-referrer');
    t.equal(headers['access-control-allow-origin'], undefined);
    if (path.startsWith('/api')) t.equal(headers['cache-control'], 'no-store');
  }
  const preflight = await send(`${adminUrl}/api/keys`, {
    method: 'OPTIONS',
    headers: { origin: 'https://evil.example', 'access-control-request-method': 'PUT' },
  });
  t.equal(preflight.status, 403);
});

t.test('malformed, oversized and foreign bodies are refused in the same form', async (t) => {
  const { call } = await started(t);
  t.match((await call('POST', '/api/explain', { body: '{' })).body, { status: 400, code: 'malformed_request' });
  t.match((await call('POST', '/api/explain', { body: '{"__proto__":{}}' })).status, 400);
  t.match((await call('POST', '/api/explain', { body: ' '.repeat(1024 * 1024 + 1) })).status, 413);
  t.match((await call('POST', '/api/explain', { headers: { 'content-type': 'text/plain' } })).status, 415);
  t.match((await call('POST', '/api/explain')).status, 422);
});

t.test('another method than those of a path is told which there are', async (t) => {
  const { adminUrl } = await started(t);
  for (const [method, path, allow] of [
    ['DELETE', '/api/keys', 'GET, HEAD, POST'],
    ['OPTIONS', '/api/keys/server', 'GET, HEAD, PUT, DELETE'],
    ['HEAD', '/api/rejections/stream', 'GET'],
    ['HEAD', '/api/explain', 'POST'],
    ['PATCH', '/api/session', 'POST, GET, HEAD, DELETE'],
  ] as const) {
    const answer = await fetch(adminUrl + path, { method, headers: bearer });
    t.same([answer.status, answer.headers.get('allow')], [405, allow], `${method} ${path}`);
  }
});

t.test('each header that keeps pages apart is on every answer of the guarded part, word for word', async (t) => {
  const { adminUrl } = await started(t);
  const promised = {
    'content-security-policy':
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  };
  for (const [path, headers] of [
    ['/api/keys', bearer],
    ['/api/keys', {}],
    ['/api/nothing', bearer],
    ['/openapi.json', {}],
    ['/', {}],
    ['/api/keys', { ...bearer, host: 'evil.example' }],
    ['/api/keys', { ...bearer, origin: 'https://evil.example' }],
  ] as const) {
    const answer = await send(adminUrl + path, { headers });
    for (const [name, value] of Object.entries(promised)) t.equal(answer.headers[name], value, `${path} ${name}`);
    if (path.startsWith('/api')) t.equal(answer.headers['cache-control'], 'no-store', path);
  }
});

t.test('the cookie of a session has each of its attributes, and no other', async (t) => {
  const { adminUrl } = await started(t);
  const attributes = (answer: { headers: Record<string, unknown> }) =>
    (answer.headers['set-cookie'] as string[])[0]?.split('; ').slice(1);
  t.same(attributes(await signIn(adminUrl)), ['Path=/api', 'Max-Age=43200', 'HttpOnly', 'SameSite=Strict']);
  const out = await send(`${adminUrl}/api/session`, { method: 'DELETE', headers: { 'x-requested-with': 'x' } });
  t.same(attributes(out), ['Path=/api', 'Max-Age=0', 'HttpOnly', 'SameSite=Strict']);
});

t.test('a right token in a query, a cookie or another header opens nothing', async (t) => {
  const { adminUrl } = await started(t);
  const status = async (path: string, headers: Record<string, string> = {}) =>
    (await send(adminUrl + path, { headers })).status;
  t.equal(await status(`/api/keys?token=${ADMIN_TOKEN}&access_token=${ADMIN_TOKEN}`), 401);
  for (const name of ['x-api-key', 'x-admin-token', 'proxy-authorization', 'cookie'])
    t.equal(
      await status('/api/keys', { [name]: name === 'cookie' ? `token=${ADMIN_TOKEN}` : `Bearer ${ADMIN_TOKEN}` }),
      401,
      name,
    );
  for (const value of [ADMIN_TOKEN.slice(0, -1), `${ADMIN_TOKEN}x`, ADMIN_TOKEN.toUpperCase(), ` ${ADMIN_TOKEN} x`])
    t.equal(await status('/api/keys', { authorization: `Bearer ${value}` }), 401, value);
});
