import t from 'tap';
import zlib from 'node:zlib';
import { startFlow, written } from '../support/flow.ts';

const SECRET = 'secret-of-a-reported-key';
const ORIGIN = 'https://shop.example';
const KEY = {
  id: 'r',
  type: 'write-only',
  secret: SECRET,
  mode: 'report',
  allowedEvents: ['login'],
  allowedOrigins: [ORIGIN],
};
const send = (request: Parameters<typeof written>[0]) => written({ secret: SECRET, ...request });
const reported = (reason: string) =>
  `postern_rejections_total{api="integration",key="r",reason="${reason}",mode="report"}`;

t.test('what would be refused is forwarded unchanged, counted and logged as such', async (t) => {
  const { raw, backend, postern } = await startFlow(t, { keys: [{ ...KEY, allowFrom: ['203.0.113.7'] }] });
  const body = '{"name":"other","name":"x"}';
  const answer = await raw(send({ body, target: '/event/ingest?x=1', fields: ['Content-Type: application/json'] }));
  t.equal(answer.status, 204);
  t.equal(backend.requests[0]?.body.toString(), body);
  t.match(backend.requests[0]?.headers, { 'postern-key-id': 'r', authorization: undefined });
  t.strictSame(postern.lines.at(-1), {
    level: 'warn',
    time: postern.lines.at(-1)?.['time'],
    msg: 'would_reject',
    rule: 'allowFrom of key r',
    requestId: answer.headers['x-request-id'],
    api: 'integration',
    keyId: 'r',
    reason: 'ip_not_allowed',
    status: 204,
    clientIp: '127.0.0.1',
    method: 'POST',
    path: '/event/ingest',
    removedEvents: 0,
    mode: 'report',
  });
  t.equal(await postern.metric(reported('ip_not_allowed')), 1);
  t.equal(await postern.metric('postern_requests_total{api="integration",key="r",status="204"}'), 1);
});

t.test('each step from the address to the events is reported, never refused', async (t) => {
  const { raw, backend, postern } = await startFlow(t, {
    keys: [{ ...KEY, rateLimit: { requests: 100, windowSeconds: 60 } }],
  });
  const login = '{"name":"login"}';
  const cases: readonly (readonly [string, Parameters<typeof written>[0]])[] = [
    ['origin_not_allowed', { body: login, fields: ['Origin: https://evil.example'] }],
    ['method_not_allowed', { method: 'DELETE', target: '/product/1/2' }],
    ['method_not_allowed', { target: '/event/ingest?_method=PUT', body: login }],
    ['route_not_allowed', { target: '/elsewhere', body: login }],
    ['event_not_allowed', { body: '{"name":"other"}' }],
    ['event_not_allowed', { target: '/event/ingest/batch', body: '{"events":[{"name":"login"},{"name":"x"}]}' }],
    ['event_not_allowed', { target: '/event/ingest/batch', body: '{"events":[{"name":"x"}]}' }],
    ['ambiguous_body', { body: '{"name":"login","Name":"x"}' }],
    ['invalid_event_body', { body: '[]' }],
    ['invalid_json', { body: '{' }],
    ['unsupported_media_type', { body: login, fields: ['Content-Type: text/html'] }],
    ['unsupported_encoding', { body: login, fields: ['Content-Encoding: x'] }],
    ['invalid_json', { body: login, fields: ['Content-Encoding: gzip'] }],
  ];
  for (const [reason, request] of cases) {
    const answer = await raw(send(request));
    t.equal(answer.status, 204, reason);
    t.equal(answer.headers['postern-removed-events'], undefined);
    t.equal(backend.requests.at(-1)?.body.toString(), request?.body?.toString() ?? '');
    t.match(postern.lines.at(-1), { msg: 'would_reject', reason, mode: 'report', status: 204 });
  }
  t.equal(await postern.metric(reported('event_not_allowed')), 3);
  t.notMatch(postern.logText(), '"rejected"');
  t.equal((await raw(send({ body: login }))).status, 204);
  t.equal(
    postern.lines.filter(({ msg }) => msg === 'would_reject').length,
    cases.length,
    'what passes is not reported',
  );
});

t.test('a body that is too large only when decoded goes on as it came', async (t) => {
  const { raw, backend, postern } = await startFlow(t, { keys: [KEY], api: { maxBodyBytes: 1000 } });
  const body = zlib.gzipSync(`{"name":"login","x":"${' '.repeat(5000)}"}`);
  t.equal((await raw(send({ body, fields: ['Content-Encoding: gzip'] }))).status, 204);
  t.same(backend.requests[0]?.body, body);
  t.match(postern.lines.at(-1), { msg: 'would_reject', reason: 'body_too_large' });
  t.equal((await raw(send({ body: 'x'.repeat(1001) }))).status, 413, 'what arrives is bounded in every mode');
});

t.test('the rate is counted as under enforcement', async (t) => {
  const { raw, postern } = await startFlow(t, { keys: [{ ...KEY, rateLimit: { requests: 1, windowSeconds: 60 } }] });
  for (let n = 0; n < 3; n++) t.equal((await raw(send({ body: '{"name":"login"}' }))).status, 204);
  t.equal(await postern.metric(reported('rate_limited')), 2);
});

t.test('a credential is refused in this mode too: it takes a key to be in report mode', async (t) => {
  const { raw } = await startFlow(t, { keys: [{ ...KEY, expiresAt: '2020-01-01T00:00:00Z' }] });
  t.equal((await raw(send({ body: '{}' }))).status, 401);
});

t.test('pages read answers as they will under enforcement, and until then as the backend says', async (t) => {
  const { raw } = await startFlow(t, {
    keys: [KEY],
    respond: (_req, res) => void res.writeHead(200, { 'Access-Control-Allow-Origin': '*' }).end(),
  });
  const allowedFor = async (origin: string) =>
    (await raw(send({ body: '{"name":"other"}', fields: [`Origin: ${origin}`] }))).headers[
      'access-control-allow-origin'
    ];
  t.equal(await allowedFor(ORIGIN), ORIGIN);
  t.equal(await allowedFor('https://evil.example'), '*');
});
