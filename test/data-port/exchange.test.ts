import t from 'tap';
import { closeExchange, exchangeOf, openExchangeOn, outcomeOf, type Exchange } from '../../src/data-port/exchange.ts';
import { refusal } from '../../src/policy/refusal.ts';
import { exchangeWith, serveExchanges } from '../support/exchanges.ts';
import { factsOf, key, NOON, passageOf, rulesOf } from '../support/passages.ts';
import { sendRaw } from '../support/raw-http.ts';

t.test('an exchange is found by its request, and by its socket until it is closed', async (t) => {
  const seen: Exchange[] = [];
  const { port } = await serveExchanges(t, (exchange) => {
    t.equal(exchangeOf(exchange.req), exchange);
    t.equal(openExchangeOn(exchange.req.socket), exchange);
    exchange.abort = () => {};
    seen.push(exchange);
    closeExchange(exchange);
    t.same([openExchangeOn(exchange.req.socket), exchange.abort], [null, null]);
    exchange.res.end();
  });
  const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  await sendRaw(port, `${request}${request.replace('Host: a', 'Host: a\r\nConnection: close')}`, { untilClose: true });
  t.equal(seen.length, 2);
  t.not(seen[0], seen[1]);
});

t.test('the outcome of an exchange', async (t) => {
  const k = key('k');
  const passage = Object.assign(passageOf(factsOf(), rulesOf([k])), {
    path: '/event/ingest',
    identity: { key: k, secret: k.secrets[0] },
  });
  const exchange = exchangeWith(passage, { removedEvents: 2, cache: { result: 'hit', status: 'x' } });
  t.match(outcomeOf(exchange, { status: 204, upstreamSeconds: 0.5 }, 3000), {
    ...{ requestId: 'id-1', api: '', keyId: 'k', secretId: 'k-secret', method: 'POST', path: '/event/ingest' },
    ...{
      clientIp: '192.0.2.1',
      status: 204,
      refusal: null,
      removedEvents: 2,
      durationSeconds: 2,
      upstreamSeconds: 0.5,
    },
    ...{ upstreamFailure: null, cache: 'hit', tokenIssued: false, now: NOON },
  });
});

t.test('a key that was recognised but may not be used is named all the same', async (t) => {
  const passage = passageOf(factsOf(), rulesOf([]));
  const reason = { ...refusal('no_route', ''), keyId: 'off' };
  t.equal(outcomeOf(exchangeWith(passage, { refusal: reason }), { status: 401 }, 0).keyId, 'off');
  passage.wouldReject = reason;
  t.equal(outcomeOf(exchangeWith(passage), { status: 204 }, 0).keyId, 'off');
});

t.test('before there are rules, the peer is all that is known', async (t) => {
  const exchange = { ...exchangeWith(passageOf(factsOf(), rulesOf([]))), passage: null };
  t.match(outcomeOf(exchange, { status: 503 }, 0), { api: '', keyId: '', path: '', clientIp: '192.0.2.1' });
});
