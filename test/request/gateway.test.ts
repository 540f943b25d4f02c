/** A request from the socket to its end: recorded once, counted while it is under way, and alone in its mistakes. */
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { compileAllowRule } from '../../src/keys/address-rule.ts';
import { connectionOf } from '../../src/request/connection.ts';
import type { Exchange } from '../../src/request/exchange.ts';
import { serveGateway, type GatewayGiven } from '../support/exchanges.ts';
import { sendRaw } from '../support/raw-http.ts';
import { rawBackend, RawClient, upstreamTo } from '../support/upstream.ts';
import { apiRules, bearer, key, rulesOf, WORLD } from '../support/passages.ts';

const NOBODY = compileAllowRule([]);

const limited = key('limited', { allowedEvents: new Set(['a']) });
const RULES = rulesOf([key('k'), limited, key('report', { mode: 'report', allowedEvents: new Set(['a']) })]);

async function gatewayWith(t: Test, given: GatewayGiven = {}) {
  const served = await serveGateway(t, { rules: () => RULES, ...given });
  const send = (id: string, body = '', target = '/event/ingest', head = '') =>
    sendRaw(
      served.port,
      `POST ${target} HTTP/1.1\r\nHost: a\r\n${bearer(id).join(': ')}\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`,
    );
  return { ...served, send };
}

const codeOf = ({ body }: { readonly body: string }) => (JSON.parse(body) as { code: string }).code;

t.test('before keys are loaded everything is 503 not_ready, before every other check', async (t) => {
  const { port, outcomes } = await gatewayWith(t, { rules: () => rulesOf([], { ready: false }) });
  const answer = await sendRaw(port, 'POST /a//b HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
  t.match([answer.status, codeOf(answer)], [503, 'not_ready']);
  t.match(outcomes, [{ status: 503, refusal: { code: 'not_ready' }, clientIp: '127.0.0.1' }]);
});

t.test('each request is recorded once, and counted while it is under way', async (t) => {
  const { send, outcomes, inFlight } = await gatewayWith(t);
  t.equal((await send('k')).status, 200);
  t.equal((await send('nobody')).status, 401);
  t.match(outcomes, [
    { status: 200, keyId: 'k', refusal: null },
    { status: 401, keyId: '' },
  ]);
  t.same(inFlight, ['+integration', '-integration']);
});

t.test('a connection remembers neither the verdict on its last request nor that one\u2019s body', async (t) => {
  let rules = RULES;
  const seen: (Exchange | null)[] = [];
  const { port, outcomes, server } = await gatewayWith(t, { rules: () => rules });
  server.on('request', ({ socket }) => seen.push(connectionOf(socket).open));
  const client = new RawClient(t, port);
  const request = `POST /profile HTTP/1.1\r\nHost: a\r\n${bearer('k').join(': ')}\r\nContent-Length: 4\r\n\r\nbody`;
  client.write(request);
  await client.until('body');
  t.match(seen, [{ settled: true, body: 'unread', bodyText: null }]);
  rules = rulesOf([key('k', { allowFrom: NOBODY })]);
  client.write(request);
  await client.until('ip_not_allowed');
  rules = rulesOf([key('other')]);
  client.write(request);
  await client.until('invalid_credential');
  t.match(outcomes, [{ status: 200 }, { status: 403 }, { status: 401 }]);
  client.socket.end();
});

t.test('a body that is still arriving goes by the lane of streams, a whole one straight', async (t) => {
  const { send, port, lanes } = await gatewayWith(t);
  const client = new RawClient(t, port);
  client.write(`POST /profile HTTP/1.1\r\nHost: a\r\n${bearer('k').join(': ')}\r\nContent-Length: 4\r\n\r\nab`);
  while (lanes.length === 0) await new Promise(setImmediate);
  client.write('cd');
  t.match(await client.until('abcd'), /200 OK/);
  t.same(lanes, ['/profile']);
  t.match(await send('k', 'whole', '/profile'), { body: /whole/ });
  t.match(await send('limited', '{"name":"a"}'), { body: /\{"name":"a"\}/ });
  t.equal(codeOf(await send('limited', '{"name":"b"}')), 'event_not_allowed');
  t.equal(lanes.length, 1);
});

t.test('in report mode a cut is noted and not made', async (t) => {
  const { send, outcomes } = await gatewayWith(t);
  const body = '{"events":[{"name":"a"},{"name":"b"}]}';
  t.equal((await send('report', body, '/event/ingest/batch')).body, body);
  t.match(outcomes, [
    { wouldReject: { code: 'event_not_allowed' }, removedEvents: 1, forwardedEvents: 1, status: 200 },
  ]);
  t.equal((await send('limited', body, '/event/ingest/batch')).body, '{"events":[{"name":"a"}]}');
  t.match(outcomes[1], { wouldReject: null, removedEvents: 1 });
});

t.test('more requests than may be under way, whether they wait for their body or not', async (t) => {
  const { send, outcomes } = await gatewayWith(t, { maxRequestsInFlight: 0 });
  for (const id of ['k', 'limited']) t.match(await send(id, '{"name":"a"}'), { status: 503, body: /overloaded/ });
  t.match(outcomes, [{ refusal: { code: 'overloaded' } }, { refusal: { code: 'overloaded' } }]);
});

t.test('a bug on one request\u2019s way is the end of that request alone', async (t) => {
  const bug = (): never => {
    throw new Error('a bug');
  };
  for (const world of [
    { authenticate: bug },
    { authenticate: () => Promise.reject(new Error('a bug')) },
    { upstreamOf: bug },
  ]) {
    const { send, outcomes, inFlight } = await gatewayWith(t, { world });
    const answer = await send('k');
    t.match([answer.status, codeOf(answer)], [500, 'internal_error']);
    t.notMatch(answer.text, 'a bug');
    t.match(outcomes, [{ status: 500, refusal: { why: /a bug/ } }]);
    t.equal(inFlight.length % 2, 0);
  }
});

t.test('a refusal after an answer has begun breaks it off, and the status that was told is recorded', async (t) => {
  const { port, outcomes } = await gatewayWith(t, {
    world: {
      authenticate: (passage) => {
        const { res } = passage as unknown as Exchange;
        res.writeHead(200);
        res.write('begun');
        throw new Error('a bug');
      },
    },
  });
  const answer = await sendRaw(port, `POST / HTTP/1.1\r\nHost: a\r\n${bearer('k').join(': ')}\r\n\r\n`, {
    untilClose: true,
  });
  t.equal(answer.closed, true);
  t.match(outcomes, [{ status: 200, refusal: { code: 'internal_error' } }]);
});

t.test('while draining, every answer is the last of its connection', async (t) => {
  const { send } = await gatewayWith(t, { draining: true });
  for (const id of ['k', 'nobody']) t.equal((await send(id)).headers['connection'], 'close');
  const rules = rulesOf([key('k')], { integration: apiRules({ publishesKeys: true }) });
  const own = await gatewayWith(t, { draining: true, rules: () => rules });
  const answer = await sendRaw(own.port, 'GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\n\r\n');
  t.same([answer.status, answer.headers['connection']], [200, 'close'], 'one of its own, too');
});

t.test('a request keeps the rules that it arrived with', async (t) => {
  let rules = RULES;
  const { port, backend } = await gatewayWith(t, { rules: () => rules });
  const client = new RawClient(t, port);
  const body = '{"name":"a"}';
  client.write(
    `POST /event/ingest HTTP/1.1\r\nHost: a\r\n${bearer('limited').join(': ')}\r\nContent-Length: ${body.length}\r\n\r\n{`,
  );
  while (!(await sendRaw(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).text.includes('401'))
    await new Promise(setImmediate);
  rules = rulesOf([key('limited', { allowedEvents: new Set(['b']), allowFrom: NOBODY })]);
  client.write(body.slice(1));
  await client.until(body);
  t.equal(backend.requests.length, 1);
});

t.test('a preflight is answered and neither forwarded nor counted as under way', async (t) => {
  const { port, inFlight, backend } = await gatewayWith(t);
  const ask = 'Origin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n';
  const answer = await sendRaw(port, `OPTIONS /event/ingest HTTP/1.1\r\nHost: a\r\n${ask}\r\n`);
  t.match(answer, { status: 204, headers: { 'access-control-allow-origin': 'https://a.example' } });
  t.same([inFlight, backend.requests], [[], []]);
});

t.test('the way is the one of the API that is asked', async (t) => {
  const metrics = apiRules({ name: 'metrics' });
  const { send, outcomes } = await gatewayWith(t, {
    rules: () => rulesOf([key('k', { apis: new Set(['integration', 'metrics']) })], { metrics }),
    world: WORLD,
  });
  await send('k', '', '/metrics/x');
  await send('k', '', '/profile');
  t.same(
    outcomes.map(({ api }) => api),
    ['metrics', 'integration'],
  );
});

t.test('a request that offers an upgrade is the last of its connection, unless its packet ends with it', async (t) => {
  const { port, server, outcomes, backend } = await gatewayWith(t);
  const head = `POST /profile HTTP/1.1\r\nHost: a\r\n${bearer('k').join(': ')}\r\n`;
  const offer = `${head}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n`;
  const plain = `${head}Content-Length: 0\r\n\r\n`;
  for (const [bytes, isLast] of [
    [`${offer}\r\n`, false],
    [`${offer}Content-Length: 4\r\n\r\nbody`, false],
    [`${offer}\r\n${plain}`, true],
    [`${offer}Content-Length: 4\r\n\r\nbody${plain}`, true],
    [`${offer}Content-Length: 4\r\n\r\nbo`, true],
    [`${offer}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, true],
  ] as const) {
    const before = outcomes.length;
    const client = new RawClient(t, port);
    const asked = once(server, 'request');
    client.write(bytes);
    await asked;
    if (bytes.endsWith('bo')) client.write('dy');
    await client.until('HTTP/1.1 200');
    t.equal(
      /Connection: close/i.test(await client.until('\r\n\r\n')),
      isLast,
      JSON.stringify(bytes.slice(head.length)),
    );
    if (isLast) await client.closed;
    else client.socket.end();
    t.equal(outcomes.length - before, 1, 'and nothing behind it is answered');
  }
  t.ok(backend.requests.every(({ headers }) => headers.upgrade === undefined));
});

t.test('whatever the framing of chunks could hide ends the request and its connection', async (t) => {
  const { port, outcomes } = await gatewayWith(t);
  const head = `POST /profile HTTP/1.1\r\nHost: a\r\n${bearer('k').join(': ')}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const long = `1;${'e'.repeat(300)}\r\nx\r\n0\r\n\r\n`;
  const atOnce = await sendRaw(port, head + long, { untilClose: true });
  t.match([atOnce.status, codeOf(atOnce)], [400, 'malformed_request']);
  t.match(outcomes, [{ refusal: { code: 'malformed_request', why: /extension/ } }]);
});

t.test('what follows the last answer of a connection is not a request', async (t) => {
  const { port, outcomes } = await gatewayWith(t);
  const bad = `POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n`;
  const good = `POST /profile HTTP/1.1\r\nHost: a\r\n${bearer('k').join(': ')}\r\nContent-Length: 0\r\n\r\n`;
  const { text } = await sendRaw(port, bad + good, { untilClose: true });
  t.same(text.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 400']);
  t.match(outcomes, [{ status: 400 }]);
});

t.test('a request id of the client is taken where it can do no harm, and is the answer\u2019s', async (t) => {
  const { send, outcomes, backend } = await gatewayWith(t);
  const own = await send('k', '', '/profile', 'X-Request-Id: mine.1\r\n');
  t.equal(own.headers['x-request-id'], 'mine.1');
  t.equal(backend.requests[0]?.headers['x-request-id'], 'mine.1');
  const odd = await send('k', '', '/profile', 'X-Request-Id: a b\r\n');
  t.not(odd.headers['x-request-id'], 'a b');
  t.equal(outcomes[1]?.requestId, odd.headers['x-request-id']);
});

t.test('chunks that break the framing behind an early answer end the connection', async (t) => {
  const early = await rawBackend(t, (socket) =>
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly')),
  );
  const upstream = upstreamTo(t, early.url);
  const { port, outcomes } = await gatewayWith(t, { world: { upstreamOf: () => upstream } });
  const head = `POST /profile HTTP/1.1\r\nHost: a\r\n${bearer('k').join(': ')}\r\n`;
  const client = new RawClient(t, port);
  client.write(`${head}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n`);
  await client.until('early');
  client.write(`1;${'e'.repeat(300)}\r\nx\r\n0\r\n\r\n${head}Content-Length: 0\r\n\r\n`);
  await client.closed;
  t.equal(client.text.match(/HTTP\/1\.1 \d+/g)?.length, 1);
  t.match(outcomes, [{ status: 200 }]);
});

t.test('a request without a body goes to the backend without one, on a connection that is kept', async (t) => {
  const reader = rulesOf([key('k', { type: 'read-write' })]);
  const { port, backend } = await gatewayWith(t, { rules: () => reader });
  for (const method of ['GET', 'DELETE', 'POST']) {
    const answer = await sendRaw(port, `${method} /profile/1 HTTP/1.1\r\nHost: a\r\n${bearer('k').join(': ')}\r\n\r\n`);
    t.equal(answer.status, 200);
  }
  t.same(
    backend.requests.map(({ headers }) => [headers.connection, headers['content-length']]),
    [
      ['keep-alive', undefined],
      ['keep-alive', undefined],
      ['keep-alive', '0'],
    ],
  );
});

t.test('an answer that comes when draining has begun is the last one of its connection as well', async (t) => {
  let isDraining = false;
  const { send } = await gatewayWith(t, {
    world: { draining: () => isDraining },
    respond: (_req, res) => {
      isDraining = true;
      res.end('late');
    },
  });
  const answer = await send('k');
  t.same([answer.body, answer.headers['connection']], ['late', 'close']);
});
