import { once } from 'node:events';
import t from 'tap';
import { compileRoutes } from '../../src/policy/route.ts';
import { refusal } from '../../src/refusal.ts';
import { connectionOf } from '../../src/request/connection.ts';
import { CLIENT_GONE, goneFacts, outcomeOf, type Exchange } from '../../src/request/exchange.ts';
import { exchangeWith, serveExchanges } from '../support/exchanges.ts';
import { apiRules, factsOf, key, NOON, rulesOf } from '../support/passages.ts';
import { sendRaw } from '../support/raw-http.ts';
import { RawClient } from '../support/upstream.ts';

t.test('an exchange is found by its socket, until it is over', async (t) => {
  const seen: Exchange[] = [];
  const { port } = await serveExchanges(t, (exchange) => {
    t.equal(connectionOf(exchange.req.socket).open, exchange);
    seen.push(exchange);
    exchange.res.end();
  });
  const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  await sendRaw(port, `${request}${request.replace('Host: a', 'Host: a\r\nConnection: close')}`, { untilClose: true });
  t.equal(seen.length, 2);
  t.not(seen[0], seen[1]);
  t.equal(connectionOf({} as never).open, null);
});

t.test('the outcome of an exchange', async (t) => {
  const k = key('k');
  const exchange = Object.assign(exchangeWith(factsOf(), rulesOf([k])), {
    path: '/event/ingest',
    identity: { key: k, secret: k.secrets[0] },
    removedEvents: 2,
    upstreamSeconds: 0.5,
    upstreamFailure: 'truncated',
    cache: { result: 'hit', status: 'x' },
  }) as Exchange;
  t.match(outcomeOf(exchange, { status: 204 }, 3000), {
    requestId: 'id-1',
    api: '',
    keyId: 'k',
    secretId: 'k-secret',
    method: 'POST',
    path: '/event/ingest',
    clientIp: '192.0.2.1',
    status: 204,
    refusal: null,
    removedEvents: 2,
    aborted: false,
    userAgent: undefined,
    traceId: null,
    durationSeconds: 2,
    upstreamSeconds: 0.5,
    upstreamFailure: 'truncated',
    cache: 'hit',
    tokenIssued: false,
    now: NOON + 2000,
  });
});

t.test('a key that was recognised but may not be used is named all the same', async (t) => {
  const reason = { ...refusal('no_route', ''), keyId: 'off' };
  t.equal(outcomeOf(Object.assign(exchangeWith(), { refusal: reason }), { status: 401 }, 0).keyId, 'off');
  t.equal(outcomeOf(Object.assign(exchangeWith(), { wouldReject: reason }), { status: 204 }, 0).keyId, 'off');
});

t.test('a body is read within its limit, told or not, and a client that waits is told once to send it', async (t) => {
  const read: string[] = [];
  const { port } = await serveExchanges(t, (exchange) => {
    exchange.readBody(4, (stop) => {
      read.push(stop?.code ?? String(exchange.body));
      exchange.res.end('x');
    });
  });
  const post = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n';
  for (const framed of [
    'Content-Length: 4\r\n\r\nbody',
    'Content-Length: 5\r\n\r\nbody!',
    'Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n',
    'Transfer-Encoding: chunked\r\n\r\n5\r\nbody!\r\n0\r\n\r\n',
  ])
    await sendRaw(port, post + framed, { untilClose: true });
  t.same(read, ['body', 'body_too_large', 'body', 'body_too_large']);
  const told: string[] = [];
  const waiting = exchangeWith(factsOf(), rulesOf([]), {
    awaitsContinue: true,
    res: { socket: {}, writeContinue: () => void told.push('100') } as never,
  });
  waiting.sendContinue();
  waiting.sendContinue();
  exchangeWith().sendContinue();
  t.same(told, ['100']);
});

t.test('of a request of which nothing is known nothing is told', async (t) => {
  t.same(outcomeOf(exchangeWith(), { status: 404 }, 1000), {
    requestId: 'id-1',
    api: '',
    keyId: '',
    secretId: '',
    method: 'POST',
    path: '/event/ingest',
    clientIp: '192.0.2.1',
    status: 404,
    aborted: false,
    refusal: null,
    wouldReject: null,
    forwardedEvents: 0,
    removedEvents: 0,
    rejectedEvents: 0,
    events: [],
    userAgent: undefined,
    traceId: null,
    durationSeconds: 0,
    upstreamSeconds: null,
    upstreamFailure: null,
    cache: null,
    tokenIssued: false,
    now: NOON,
  });
});

t.test('what was found on the way is told, and the trace of the caller where there is none of our own', async (t) => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const facts = factsOf({}, ['User-Agent', 'ua', 'traceparent', `00-${traceId}-b7ad6b7169203331-01`]);
  const exchange = Object.assign(exchangeWith(facts), {
    api: apiRules(),
    wouldReject: refusal('ip_not_allowed', ''),
    forwardedEvents: 3,
    rejectedEvents: 1,
    refusedNames: ['pay'],
  });
  t.match(outcomeOf(exchange, { status: 200, aborted: true, tokenIssued: true }, 1000.6), {
    api: 'integration',
    userAgent: 'ua',
    traceId,
    aborted: true,
    tokenIssued: true,
    wouldReject: { code: 'ip_not_allowed' },
    forwardedEvents: 3,
    rejectedEvents: 1,
    events: ['pay'],
    now: NOON + 1,
  });
  const traced = exchangeWith(facts, rulesOf([]), { trace: { traceId: 'ours' } as never });
  t.equal(outcomeOf(traced, { status: 200 }, 1000).traceId, 'ours');
});

t.test('who left before an answer is recorded as gone, and later as cut off in what it was told', async (t) => {
  const goneWith = (res: object) => goneFacts(exchangeWith(factsOf(), rulesOf([]), { res: res as never }));
  t.same(goneWith({ headersSent: false, statusCode: 200 }), { status: CLIENT_GONE });
  t.same(goneWith({ headersSent: true, statusCode: 206 }), { status: 206, aborted: true });
});

t.test('how long a client may take nothing is said by the route, the API, or the strictest of all', async (t) => {
  const exchange = exchangeWith(factsOf(), rulesOf([], { idleTimeoutMs: 7 }));
  t.equal(exchange.idleTimeoutMs, 7);
  exchange.api = apiRules({ idleTimeoutMs: 8 });
  t.equal(exchange.idleTimeoutMs, 8);
  const [route = null] = compileRoutes([{ method: 'GET', path: '/a' }]).routes;
  exchange.route = route && { route: { ...route, idleTimeoutMs: 9 }, target: '/a' };
  t.equal(exchange.idleTimeoutMs, 9);
});

t.test('of a body that ends with its client, or after its answer, nobody is told', async (t) => {
  const told: string[] = [];
  const { port, server } = await serveExchanges(t, (bare) => {
    const exchange = exchangeWith(bare.facts, bare.rules, {
      req: bare.req,
      res: bare.res,
      onGone: () => void told.push('gone'),
    });
    exchange.readBody(10, () => told.push('read'));
    if (bare.facts.target === '/settled') {
      exchange.settled = true;
      bare.res.end();
    }
  });
  await sendRaw(port, 'POST /settled HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx', {
    untilClose: true,
  });
  t.same(told, []);
  const client = new RawClient(t, port);
  client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx');
  await once(server, 'request');
  client.socket.destroy();
  while (told.length === 0) await new Promise(setImmediate);
  t.same(told, ['gone']);
});

t.test('of a request that has just come nothing is known but where the one before it went', async (t) => {
  const api = apiRules();
  const place = { path: '/a', query: '?b', api, route: null };
  t.match(exchangeWith(factsOf(), rulesOf([]), { place }), {
    path: '/a',
    query: '?b',
    api: { name: 'integration' },
    route: null,
    isAmbiguous: false,
    endpoint: null,
    identity: null,
    client: null,
    body: 'unread',
    bodyText: null,
    envelope: null,
    bodyHandedOver: false,
    lookedThrough: false,
    bodyChanged: false,
    bodyJudged: false,
    eventsJudged: false,
    typeOfUntyped: null,
    quota: null,
    wouldReject: null,
    isDecided: false,
    refusal: null,
    cache: null,
    refusalForm: null,
    seat: null,
    seatOf: null,
    inStreamLane: false,
    settled: false,
    abort: null,
    hasBody: false,
  });
});

t.test('a body that says that it is too large is neither asked for nor waited for', (t) => {
  const told: string[] = [];
  const res = { socket: {}, writeContinue: () => void told.push('100') } as never;
  const facts = factsOf({}, ['Content-Length', '5']);
  const exchange = exchangeWith(facts, rulesOf([]), { awaitsContinue: true, res });
  exchange.readBody(4, (stop) => told.push(stop?.code ?? 'read'));
  t.same(told, ['body_too_large']);
  t.end();
});
