import { once } from 'node:events';
import t, { type Test } from 'tap';
import type { Admitted, Exchange } from '../../src/data-port/exchange.ts';
import { createOwnEndpoints } from '../../src/metrics-api/own-endpoints.ts';
import type { MetricsService } from '../../src/metrics-api/metrics-service.ts';
import { jsonToken, oauthRefusal } from '../../src/metrics-api/token-answer.ts';
import { MAX_TOKEN_BODY_BYTES, type TokenEndpoint, type TokenRequest } from '../../src/metrics-api/token-endpoint.ts';
import { refusal } from '../../src/policy/refusal.ts';
import { serveExchanges } from '../support/exchanges.ts';
import { apiRules, factsOf, NOON, passageOf, rulesOf } from '../support/passages.ts';
import { sendRaw } from '../support/raw-http.ts';
import { RawClient } from '../support/upstream.ts';
import { identityOf, metricsKey } from './support/metrics-keys.ts';

const JWKS = '{"keys":["\u00e4"]}';
const SERVICE = { tokens: { jwks: JWKS }, cache: {} } as MetricsService;
const IDENTITY = identityOf(metricsKey({ admitsAddress: () => false }));
const TOKEN = jsonToken('id-1', { accessToken: 'aa.bb.cc', expiresIn: 900 });
const ISSUED = { kind: 'issued', identity: IDENTITY, answer: TOKEN } as const;
const POST = 'POST / HTTP/1.1\r\nHost: a\r\n';
const withBody = (body: string): string => `${POST}Content-Length: ${body.length}\r\n\r\n${body}`;
const chunk = (body: string): string => `${body.length.toString(16)}\r\n${body}\r\n`;
const inChunks = (body: string): string => `${POST}Transfer-Encoding: chunked\r\n\r\n${chunk(body)}${chunk('')}`;

/** Serves the token endpoint; the log tells what became of each exchange. `begin` sees an exchange first. */
async function serve(t: Test, endpoint: Partial<TokenEndpoint> = {}, begin: (exchange: Exchange) => void = () => {}) {
  const log: string[] = [];
  const passage = passageOf(factsOf(), rulesOf([]));
  Object.assign(passage, { api: apiRules({ name: 'metrics' }), endpoint: 'token' });
  const end = (exchange: Exchange, what: string) => (log.push(what), Object.assign(exchange, { settled: true }));
  const judge: TokenEndpoint['answer'] = async ({ body }) => (log.push(`judged ${body.length}`), ISSUED);
  const answerOwn = createOwnEndpoints({
    gateway: {
      refuse: (exchange, { code, allow = '' }) => void end(exchange, `refused ${code} ${allow}`.trim()).res.destroy(),
      settle: (exchange, { status, tokenIssued }) =>
        void end(exchange, `settled ${status} ${tokenIssued ? 'issued' : (exchange.refusal?.code ?? '')}`),
    },
    serviceOf: () => ({ ...SERVICE, endpoint: { open: () => null, answer: judge, ...endpoint } }),
  });
  const served = await serveExchanges(t, (exchange) => (begin(exchange), answerOwn(exchange as Admitted)), passage);
  return { ...served, log, passage };
}
const waiting = (exchange: Exchange): void => void Object.assign(exchange, { awaitsContinue: true });

t.test('the key set is served to whoever asks, for caches to keep, and its length alone to HEAD', async (t) => {
  const { port, log, passage } = await serve(t, { open: () => t.fail() as never });
  passage.endpoint = 'key set';
  for (const [method, body] of Object.entries({ GET: Buffer.from(JWKS).toString('latin1'), HEAD: '' })) {
    const got = await sendRaw(port, `${method} / HTTP/1.0\r\n\r\n`, { untilClose: true });
    const headers = { 'cache-control': 'public, max-age=300', 'x-request-id': 'id-1', 'content-length': '15' };
    t.match(got, { status: 200, headers: { ...headers, 'content-type': 'application/jwk-set+json' } });
    t.equal(got.body, body);
  }
  t.same(log, ['settled 200 ', 'settled 200 ']);
});

t.test('another method than POST is refused before the endpoint hears of it', async (t) => {
  const { port, log } = await serve(t, { open: () => t.fail() as never });
  for (const method of ['GET', 'OPTIONS']) await sendRaw(port, `${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
  t.same(log, ['refused method_not_supported POST', 'refused method_not_supported POST'], 'which it names');
});

t.test('what can be refused by its head is answered without its body, in the words of OAuth or not', async (t) => {
  const why = refusal('rate_limited', 'as the test says');
  for (const answer of [oauthRefusal('id-1', why), null]) {
    const { port, log } = await serve(t, { open: () => ({ kind: 'refused', refusal: why, answer }) }, waiting);
    const { text } = await sendRaw(port, `${POST}Content-Length: 5\r\n\r\n`, { untilClose: true });
    t.match(text, answer === null ? /^$/ : /^HTTP\/1.1 429 /);
    t.same(log, [answer === null ? 'refused rate_limited' : 'settled 429 rate_limited']);
  }
});

t.test('a body of the greatest size is judged, a greater one refused, however its size is told', async (t) => {
  for (const framed of [withBody, inChunks]) {
    const { port, log } = await serve(t);
    for (const more of [0, 1]) await sendRaw(port, framed('x'.repeat(MAX_TOKEN_BODY_BYTES + more)));
    t.same(log, [`judged ${MAX_TOKEN_BODY_BYTES}`, 'settled 200 issued', 'refused body_too_large']);
  }
});

t.test('a client that waits to be told sends its body when it is wanted, and is not told when it is not', async (t) => {
  const { port, log } = await serve(t, {}, waiting);
  const tooLarge = `${POST}Content-Length: ${MAX_TOKEN_BODY_BYTES + 1}\r\n\r\n`;
  t.equal((await sendRaw(port, tooLarge)).text, '');
  const asking = withBody('body').replace('Host', 'Connection: close\r\nHost');
  const { text } = await sendRaw(port, asking, { untilClose: true });
  t.match(text, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK\r\n/);
  t.same(log, ['refused body_too_large', 'judged 4', 'settled 200 issued']);
});

t.test('a pair is judged by the address, keys and time of its request, and its key is known if refused', async (t) => {
  const asked: TokenRequest[] = [];
  const { port, passage } = await serve(t, { answer: async (request) => (asked.push(request), ISSUED) });
  await sendRaw(port, withBody('{}'));
  t.match(asked, [{ address: '192.0.2.1', requestId: 'id-1', now: NOON, body: Buffer.from('{}') }]);
  t.equal(asked[0]?.keys, passage.rules.keys);
  t.match(asked[0]?.guard(IDENTITY), { code: 'ip_not_allowed' });
  t.equal(passage.identity, IDENTITY);
});

t.test('a client that goes away within its body is not judged', async (t) => {
  const { port, log, server } = await serve(t);
  const client = new RawClient(t, port);
  client.write(`${POST}Content-Length: 9\r\n\r\n{`);
  const [req] = await once(server, 'request');
  client.socket.destroy();
  await once(req, 'close').catch(() => {});
  t.same(log, ['settled 499 ']);
});

t.test('a token that cannot be made is a mistake of this side', async (t) => {
  const { port, log } = await serve(t, { answer: () => Promise.reject(new Error('as the test says')) });
  await sendRaw(port, withBody('{}'));
  t.same(log, ['refused internal_error']);
});

t.test('an answer that cannot be sent is a mistake of this side, and ends its request alone', async (t) => {
  const answer = async () => ({
    ...ISSUED,
    answer: {
      ...TOKEN,
      get headers(): string[] {
        throw new Error('a bug');
      },
    },
  });
  const { port, log } = await serve(t, { answer });
  await sendRaw(port, withBody('{}'));
  t.same(log, ['refused internal_error']);
});

t.test('an exchange that ended while its token was made gets none', async (t) => {
  let exchange = {} as Exchange;
  const answer = async () => (Object.assign(exchange, { settled: true }).res.end('ended'), ISSUED);
  const { port, log } = await serve(t, { answer }, (begun) => (exchange = begun));
  t.notMatch((await sendRaw(port, withBody('{}'))).text, 'accessToken');
  t.same(log, []);
});
