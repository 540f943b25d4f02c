/** Routes for which nobody needs a key, and routes that pages read with a key for sending. */
import t from 'tap';
import { codeOf, SERVER_SECRET, startFlow, WEB_KEY, WEB_SECRET, written } from '../support/flow.ts';

const ROUTES = [
  { method: 'GET', path: '/health', public: true },
  { method: 'GET', path: '/static/**', public: true },
  { method: 'POST', path: '/login', public: true, maxBodyBytes: 100 },
  { method: 'POST', path: '/form', public: true, forms: true },
  { method: 'GET', path: '/flags', pages: true },
  { method: 'GET', path: '/users/:id' },
];

t.test('a public route is for everybody, and no credential goes through it', async (t) => {
  const { raw, backend, postern } = await startFlow(t, {
    api: {
      routes: ROUTES,
      credential: ['bearer', 'header:x-api-key', 'query:api_key', 'body:key'],
      unlisted: 'refuse',
    },
  });
  const send = (method: string, target: string, more: object = {}) =>
    raw(written({ secret: null, method, target, ...more }));
  t.equal((await send('GET', '/health')).status, 204);
  t.equal((await send('HEAD', '/Static/a/b.js')).status, 204);
  t.equal(await postern.metric('postern_requests_total{api="integration",key="",status="204"}'), 2);
  for (const secret of [SERVER_SECRET, 'no-such-secret-anywhere'])
    t.equal(
      (await send('GET', '/health', { secret, fields: [`X-Api-Key: ${secret}2`, 'Origin: https://x.example'] })).status,
      204,
    );
  t.match(backend.requests.at(-1)?.headers, {
    authorization: undefined,
    'x-api-key': undefined,
    'postern-key-id': undefined,
  });
  t.equal((await send('GET', '/health?a=1&api_key=secret-in-the-query')).status, 204);
  t.equal(backend.requests.at(-1)?.url, '/health?a=1');
  t.equal(codeOf(await send('GET', '/health?Api.Key=secret-in-the-query')), 'malformed_request');
  const json = { fields: ['Content-Type: application/json'] };
  t.equal((await send('POST', '/login', { ...json, body: '{"user":"u","key":"secret-in-the-body"}' })).status, 204);
  t.equal(backend.requests.at(-1)?.body.toString(), '{"user":"u"}');
  t.equal(codeOf(await send('POST', '/login', { ...json, body: '{"key":"a","Key":"b"}' })), 'ambiguous_body');
  t.equal(codeOf(await send('POST', '/login', { ...json, body: '{"key":' })), 'invalid_json');
  const seen = backend.requests.map(
    (request) => `${request.url} ${request.rawHeaders.join()} ${request.body.toString()}`,
  );
  t.notMatch(seen.join('\n'), /secret/);
});

t.test('nobody gets another method or path by it', async (t) => {
  const { raw, backend } = await startFlow(t, { api: { routes: ROUTES } });
  const send = (method: string, target: string, more: object = {}) =>
    raw(written({ secret: null, method, target, ...more }));
  const form = { fields: ['Content-Type: application/x-www-form-urlencoded'], body: '_method=DELETE' };
  t.equal(codeOf(await send('POST', '/login?_method=DELETE')), 'method_not_allowed');
  t.equal(codeOf(await send('POST', '/login', form)), 'unsupported_media_type');
  t.equal(backend.requests.length, 0);
  t.equal((await send('POST', '/form', form)).status, 204);
  t.equal((await send('POST', '/login', { body: '_method=DELETE' })).status, 204);
  t.equal(backend.requests.at(-1)?.headers['content-type'], 'application/octet-stream');
  for (const [method, target] of [
    ['POST', '/health'],
    ['DELETE', '/static/a'],
    ['GET', '/static'],
    ['GET', '/h%C3%A9alth'],
    ['GET', '/%C5%BFtatic/a'],
    ['GET', '/healthz'],
    ['GET', '/users/7'],
    ['OPTIONS', '/health'],
  ] as const)
    t.equal(codeOf(await send(method, target)), 'missing_credential', `${method} ${target}`);
  t.equal(backend.requests.length, 2);
});

t.test('pages read with a write-only key what is for pages', async (t) => {
  const { raw, backend } = await startFlow(t, {
    api: { routes: ROUTES },
    keys: [{ ...WEB_KEY, allowedOrigins: ['https://a.example'] }],
  });
  const send = (method: string, target: string, origin = 'https://a.example') =>
    raw(written({ secret: WEB_SECRET, method, target, fields: [`Origin: ${origin}`] }));
  const read = await send('GET', '/flags?v=2');
  t.equal(read.status, 204);
  t.equal(read.headers['access-control-allow-origin'], 'https://a.example');
  t.equal((await send('HEAD', '/flags')).status, 204);
  t.equal(codeOf(await send('GET', '/flags', 'https://b.example')), 'origin_not_allowed');
  t.equal(codeOf(await send('GET', '/users/7')), 'method_not_allowed');
  t.equal(codeOf(await send('DELETE', '/flags')), 'method_not_allowed');
  t.equal(backend.requests.length, 2);
  const preflight = async (target: string) => {
    const fields = ['Origin: https://a.example', 'Access-Control-Request-Method: GET'];
    const answer = await raw(written({ secret: null, method: 'OPTIONS', target, fields }));
    return [answer.status, answer.headers['access-control-allow-methods']];
  };
  t.same(await preflight('/flags'), [204, 'GET, HEAD, POST']);
  t.same(await preflight('/users/7'), [204, 'POST']);
});
