import t from 'tap';
import { refusal } from '../../src/refusal.ts';
import { connectionOf } from '../../src/request/connection.ts';
import { outcomeOf, type Exchange } from '../../src/request/exchange.ts';
import { exchangeWith, serveExchanges } from '../support/exchanges.ts';
import { factsOf, key, NOON, rulesOf } from '../support/passages.ts';
import { sendRaw } from '../support/raw-http.ts';

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
