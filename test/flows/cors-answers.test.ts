import t from 'tap';
import {
  EVENTS_SECRET,
  SERVER_SECRET,
  startFlow,
  WEB_KEY,
  WEB_SECRET,
  written,
  EVENTS_KEY,
  SERVER_KEY,
} from '../support/flow.ts';

const ORIGIN = 'https://shop.example';
const FROM_PAGE = [`Origin: ${ORIGIN}`];

const BACKEND_CORS = {
  'Access-Control-Allow-Origin': '*',
  'access-control-expose-headers': 'X-Of-The-Backend',
  'Access-Control-Allow-Credentials': 'true',
  Vary: 'Accept-Encoding',
};

t.test('the page of a write-only key can read answers, by Postern\u2019s CORS headers and no others', async (t) => {
  const { raw } = await startFlow(t, { respond: (_req, res) => void res.writeHead(200, BACKEND_CORS).end('ok') });
  const { headers, text } = await raw(written({ secret: WEB_SECRET, fields: FROM_PAGE, body: '{}' }));
  t.equal(headers['access-control-allow-origin'], ORIGIN);
  t.match(headers['access-control-expose-headers'], /^Postern-Removed-Events, X-Request-Id\b/);
  t.equal(headers['access-control-allow-credentials'], undefined);
  t.equal(text.match(/access-control-allow-origin/gi)?.length, 1);
  t.equal(headers['vary'], 'Accept-Encoding, Origin');
});

t.test('without an Origin a write-only key gets no CORS headers, not even the backend\u2019s', async (t) => {
  const { raw } = await startFlow(t, { respond: (_req, res) => void res.writeHead(200, BACKEND_CORS).end('ok') });
  const { text } = await raw(written({ secret: WEB_SECRET, body: '{}' }));
  t.notMatch(text, /access-control-/i);
});

t.test('for other keys the backend\u2019s CORS headers stand', async (t) => {
  const { raw } = await startFlow(t, { respond: (_req, res) => void res.writeHead(200, BACKEND_CORS).end('ok') });
  const { headers } = await raw(written({ secret: SERVER_SECRET, body: '{}' }));
  t.match(headers, { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'X-Of-The-Backend' });
});

t.test('a page can read refusals too, if its origin is admitted', async (t) => {
  const allowedOrigins = [ORIGIN];
  const { raw } = await startFlow(t, {
    keys: [SERVER_KEY, { ...WEB_KEY, allowedOrigins, allowFrom: [] }, { ...EVENTS_KEY, allowedOrigins }],
  });
  const cases: readonly (readonly [status: number, request: Parameters<typeof written>[0]])[] = [
    [401, { secret: null, fields: FROM_PAGE }],
    [401, { secret: 'no-such-secret-anywhere', fields: FROM_PAGE }],
    [403, { secret: WEB_SECRET, fields: FROM_PAGE, body: '{}' }],
    [403, { secret: EVENTS_SECRET, fields: FROM_PAGE, body: '{"name":"x"}' }],
    [400, { secret: EVENTS_SECRET, fields: FROM_PAGE, body: '{' }],
    [404, { target: '/metrics/x', fields: FROM_PAGE }],
    [400, { target: '/a//b', fields: FROM_PAGE }],
  ];
  for (const [status, request] of cases) {
    const answer = await raw(written(request));
    t.equal(answer.status, status);
    t.match(answer.headers, { 'access-control-allow-origin': ORIGIN, vary: 'Origin' }, `${status}`);
    t.match(answer.headers['access-control-expose-headers'], 'X-Request-Id');
  }
  for (const [status, request] of cases.slice(0, 2)) {
    const answer = await raw(written({ ...request, fields: ['Origin: https://evil.example'] }));
    t.same([answer.status, answer.headers['access-control-allow-origin']], [status, undefined]);
  }
  t.equal(
    (await raw(written({ fields: FROM_PAGE }))).headers['access-control-allow-origin'],
    undefined,
    'a key that reads',
  );
});
