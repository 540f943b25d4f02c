/** How exchanges end: counted while they are under way, answered, recorded once, and let go. */
import t, { type Test } from 'tap';
import type { Outcome } from '../../src/observability/outcome.ts';
import type { Key } from '../../src/keys/key.ts';
import type { ApiRules } from '../../src/policy/ruleset.ts';
import { refusal } from '../../src/refusal.ts';
import { connectionOf } from '../../src/request/connection.ts';
import { createEnding, type EndingPorts } from '../../src/request/ending.ts';
import { CLIENT_GONE, type Exchange } from '../../src/request/exchange.ts';
import type { Seat } from '../../src/request/in-flight.ts';
import type { RequestTrace } from '../../src/telemetry/tracing.ts';
import { exchangeWith, serveExchanges } from '../support/exchanges.ts';
import { apiRules, factsOf, key, rulesOf } from '../support/passages.ts';
import { sendRaw } from '../support/raw-http.ts';

const NO = refusal('ip_not_allowed', 'as the test says');

const identityOf = (change: Partial<Key> = {}) => ({
  key: key('k', change),
  secret: { id: 's', digest: '', expiresAt: null },
});

/** An ending that writes down what it does. */
function endingWith(change: Partial<EndingPorts> = {}) {
  const log: string[] = [];
  const outcomes: Outcome[] = [];
  const ending = createEnding({
    record: (outcome) => (log.push('recorded'), void outcomes.push(outcome)),
    observing: { count: ({ body }) => void log.push(`observed ${String(body)}`) },
    enter: (api) => void log.push(`+${api}`),
    leave: (api) => void log.push(`-${api}`),
    inFlight: {
      take: (_passage, held) => (log.push(`seat for ${held === null ? 'a new one' : 'one with a seat'}`), seat()),
      hold: (_seat, own, more) => (own + more > 10 ? `${own} and ${more} are too much` : null),
      leave: (_seat, bytes) => void log.push(`seat left with ${bytes}`),
      setApis: () => {},
    },
    draining: () => false,
    now: () => 3000,
    ...change,
  });
  return { ending, log, outcomes };
}

const seat = (): Seat => ({ of: '', limit: 1, bytesLimit: 1, within: null, taken: 0, bytes: 0 });

/** An exchange on a connection that nobody answers. */
const alone = (change: Partial<Exchange> = {}): Exchange =>
  Object.assign(exchangeWith(factsOf(), rulesOf([]), { req: { socket: {} } as never }), {
    api: apiRules(),
    ...change,
  });

t.test('an exchange has one seat, and another one when its key becomes known', (t) => {
  const { ending, log } = endingWith();
  const exchange = alone();
  t.equal(ending.begin(Object.assign(alone(), { api: null })), null, 'of no API none');
  t.equal(ending.begin(exchange), null);
  const first = exchange.seat;
  t.equal(ending.begin(exchange), null);
  t.equal(exchange.seat, first);
  t.same(log, ['seat for a new one', '+integration']);
  exchange.identity = identityOf();
  t.equal(ending.begin(exchange), null);
  t.equal(ending.begin(exchange), null);
  t.not(exchange.seat, first);
  t.same(log.slice(2), ['seat for one with a seat'], 'it is counted once');
  t.end();
});

t.test('where there is no seat the exchange is refused, and holds what it held', (t) => {
  const { ending, log } = endingWith({
    inFlight: { take: () => '7 are under way', hold: () => null, leave: () => {}, setApis: () => {} },
  });
  const held = seat();
  const exchange = alone({ seat: held, seatOf: identityOf() });
  t.match(ending.begin(exchange), {
    code: 'overloaded',
    why: '7 are under way',
    rule: 'listen.maxRequestsInFlight',
  });
  t.equal(exchange.seat, held);
  t.same(log, []);
  t.end();
});

t.test('the end is recorded once, observed before the body is let go, and gives back what was counted', (t) => {
  const { ending, log, outcomes } = endingWith();
  let aborted = 0;
  const exchange = alone({ body: Buffer.from('body'), refusalForm: () => ({}) as never, abort: () => (aborted += 1) });
  const connection = connectionOf(exchange.req.socket);
  connection.open = exchange;
  ending.begin(exchange);
  ending.settle(exchange, { status: 204 });
  ending.settle(exchange, { status: 500 });
  ending.refuse(exchange, NO);
  t.same(log.slice(2), ['observed body', 'seat left with 0', '-integration', 'recorded']);
  t.match(outcomes, [{ status: 204, durationSeconds: 2 }]);
  t.match(exchange, { settled: true, body: 'unread', bodyText: null, abort: null, refusalForm: null, refusal: null });
  t.equal(aborted, 0);
  t.equal(connection.open, null);
  t.end();
});

t.test('what a body takes is counted until the end, and not after it', (t) => {
  const { ending, log } = endingWith();
  const exchange = alone();
  t.throws(() => ending.hold(exchange, 1), /before its request had a seat/);
  ending.begin(exchange);
  t.same([ending.hold(exchange, 4), ending.hold(exchange, 6)], [null, null]);
  t.match(ending.hold(exchange, 1), {
    code: 'overloaded',
    why: '10 and 1 are too much',
    rule: 'listen.maxBodyBytesInFlight',
  });
  t.equal(exchange.heldBytes, 10);
  ending.settle(exchange, { status: 204 });
  t.equal(ending.hold(exchange, 100), null, 'of what still comes nothing is kept');
  t.equal(exchange.heldBytes, 10);
  t.ok(log.includes('seat left with 10'));
  t.end();
});

t.test('what never had a seat gives none back, and the next request of its connection stays', (t) => {
  const { ending, log } = endingWith();
  const exchange = alone();
  const next = alone();
  connectionOf(exchange.req.socket).open = next;
  ending.settle(exchange, { status: 204 });
  t.same(log, ['observed unread', 'recorded']);
  t.equal(connectionOf(exchange.req.socket).open, next);
  t.end();
});

t.test('its trace is told how it ended, and whether anything was answered', (t) => {
  const { ending } = endingWith();
  const ended = (status: number, headersSent: boolean, change: Partial<Exchange> = {}) => {
    const told: unknown[] = [];
    const trace = { traceId: 't1', end: (one: unknown) => void told.push(one) } as unknown as RequestTrace;
    ending.settle(alone({ trace, res: { headersSent } as never, ...change }), { status });
    return told[0] as Parameters<RequestTrace['end']>[0];
  };
  t.match(ended(200, true), { answered: true, scheme: 'http', httpVersion: '1.1', route: null, mode: 'enforce' });
  t.equal(ended(200, false).answered, true);
  t.equal(ended(CLIENT_GONE, false).answered, false);
  t.equal(ended(CLIENT_GONE, true).answered, true, 'a backend may say so itself');
  t.equal(ended(200, true, { identity: identityOf({ mode: 'report' }) }).mode, 'report');
  t.equal(ended(200, true).outcome.traceId, 't1');
  t.end();
});

/** What a client is told of an exchange that is refused. */
async function refused(
  t: Test,
  change: Partial<Exchange>,
  { api = {}, fields = '', draining = false }: { api?: Partial<ApiRules>; fields?: string; draining?: boolean } = {},
) {
  const { ending, outcomes, log } = endingWith({ draining: () => draining });
  const { port } = await serveExchanges(t, (exchange) => {
    ending.refuse(Object.assign(exchange, { api: apiRules(api), ...change }), NO);
  });
  const answer = await sendRaw(port, `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
  return { answer, outcomes, log };
}

t.test('a refusal tells what is left of a limit, what a cache did, and the page of an admitted origin', async (t) => {
  const identity = identityOf({ rateLimit: { requests: 3, windowSeconds: 9 } });
  const { answer, outcomes } = await refused(
    t,
    {
      identity,
      quota: { remaining: 1, resetSeconds: 5 },
      cache: { result: 'miss', status: 'postern; fwd=miss' },
    },
    { fields: 'Origin: https://a.example\r\n' },
  );
  t.equal(answer.status, 403);
  t.match(answer.headers, {
    ratelimit: '"key";r=1;t=5',
    'cache-status': 'postern; fwd=miss',
    'access-control-allow-origin': 'https://a.example',
    'x-request-id': 'id-1',
    connection: 'keep-alive',
  });
  t.match(outcomes, [{ status: 403, aborted: false, refusal: { code: 'ip_not_allowed' } }]);
  const plain = (await refused(t, {})).answer;
  for (const name of ['ratelimit', 'cache-status', 'access-control-allow-origin'])
    t.equal(plain.headers[name], undefined, name);
  t.match(JSON.parse(plain.body), { code: 'ip_not_allowed' });
});

t.test('it is told in the form of its API or its endpoint, and while draining as the last answer', async (t) => {
  const amplitude = (await refused(t, {}, { api: { refusalForm: 'amplitude' } })).answer;
  t.match(JSON.parse(amplitude.body), { code: 403, reason: 'ip_not_allowed' });
  const own = await refused(t, {
    refusalForm: ({ why }) => ({ status: 418, headers: ['X-Own', 'a'], body: why }),
  });
  t.match(own.answer, { status: 418, headers: { 'x-own': 'a' }, body: 'as the test says' });
  t.match(own.outcomes, [{ status: 418, refusal: { code: 'ip_not_allowed' } }]);
  t.equal(own.outcomes.length, 1);
  t.equal((await refused(t, {}, { draining: true })).answer.headers['connection'], 'close');
});

t.test('a refusal stops what goes on for the request, and breaks off an answer that has begun', async (t) => {
  for (const form of [null, () => ({ status: 418, headers: [], body: '' })] as const) {
    let stopped = 0;
    const { ending, outcomes } = endingWith();
    const { port } = await serveExchanges(t, (exchange) => {
      exchange.res.writeHead(206).write('begun');
      ending.refuse(Object.assign(exchange, { abort: () => (stopped += 1), refusalForm: form }), NO);
    });
    const answer = await sendRaw(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', { untilClose: true });
    t.notMatch(answer.text, /ip_not_allowed|\r\n0\r\n/);
    t.equal(stopped, 1);
    t.match(outcomes, [{ aborted: true }]);
    if (form === null) t.equal(outcomes[0]?.status, 206);
  }
});

t.test('whether the connection closes is said by what was refused', async (t) => {
  const { ending } = endingWith();
  const { port } = await serveExchanges(t, (exchange) => {
    const isLast = exchange.facts.target === '/last';
    if (isLast) exchange.refusalForm = () => ({ status: 400, headers: [], body: '' });
    ending.refuse(exchange, refusal(isLast ? 'malformed_request' : 'no_route', ''));
  });
  const closes = async (target: string) =>
    (await sendRaw(port, `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)).headers['connection'];
  t.same([await closes('/'), await closes('/last')], ['keep-alive', 'close']);
});
