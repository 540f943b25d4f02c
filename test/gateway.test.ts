import t, { type Test } from 'tap';
import http from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Exchange } from '../src/data-port/exchange.ts';
import { createInFlight } from '../src/data-port/in-flight.ts';
import { createGateway, type GatewayPorts } from '../src/gateway.ts';
import type { Outcome } from '../src/observability/outcome.ts';
import { sendRaw } from './support/raw-http.ts';
import { RawClient } from './support/upstream.ts';
import { apiRules, bearer, key, NOON, PORTS, rulesOf } from './support/passages.ts';

const limited = key('limited', { allowedEvents: new Set(['a']) });
const RULES = rulesOf([key('k'), limited, key('report', { mode: 'report', allowedEvents: new Set(['a']) })]);

async function gatewayWith(t: Test, change: Partial<GatewayPorts> = {}) {
  const outcomes: Outcome[] = [];
  const inFlight: string[] = [];
  const gateway = createGateway({
    ...PORTS,
    ...{
      rules: () => RULES,
      answerOwn: () => {},
      needsBody: () => false,
      inFlight: createInFlight({ limit: 10, apis: 1 }),
      draining: () => false,
    },
    pass: (exchange) => {
      exchange.res
        .writeHead(200)
        .end(Buffer.isBuffer(exchange.body) ? exchange.body : exchange.body === 'none' ? '' : 'streams');
      exchange.req.resume();
      gateway.settle(exchange, { status: 200 });
    },
    record: (outcome) => void outcomes.push(outcome),
    enter: (api) => void inFlight.push(`+${api}`),
    leave: (api) => void inFlight.push(`-${api}`),
    clock: { now: () => NOON, monotonic: () => 0 },
    ...change,
  });
  const server = http.createServer({ requireHostHeader: false }, (req, res) => gateway.handle(req, res, false));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const send = (id: string, body = '', target = '/event/ingest', head = '') =>
    sendRaw(
      port,
      `POST ${target} HTTP/1.1\r\nHost: a\r\n${bearer(id).join(': ')}\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`,
    );
  return { outcomes, inFlight, send, port };
}

const codeOf = ({ body }: { readonly body: string }) => (JSON.parse(body) as { code: string }).code;

t.test('before keys are loaded everything is 503 not_ready, before every other check', async (t) => {
  const { port, outcomes } = await gatewayWith(t, { rules: () => null });
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
  const seen: Exchange[] = [];
  const needsBody = (exchange: Exchange) => seen.push(exchange) > 0;
  const { port, outcomes } = await gatewayWith(t, { rules: () => rules, needsBody });
  const client = new RawClient(t, port);
  const request = `POST /profile HTTP/1.1\r\nHost: a\r\n${bearer('k').join(': ')}\r\nContent-Length: 4\r\n\r\nbody`;
  client.write(request);
  await client.until('body');
  t.match(seen, [{ settled: true, body: 'none' }]);
  rules = rulesOf([key('k', { admitsAddress: () => false })]);
  client.write(request);
  await client.until('ip_not_allowed');
  rules = rulesOf([key('other')]);
  client.write(request);
  await client.until('invalid_credential');
  t.match(outcomes, [{ status: 200 }, { status: 403 }, { status: 401 }]);
  client.socket.end();
});

t.test('a body that is still arriving streams, unless its events are judged or somebody needs it whole', async (t) => {
  const { send, port } = await gatewayWith(t);
  const head = `POST /profile HTTP/1.1\r\nHost: a\r\n${bearer('k').join(': ')}\r\nContent-Length: 4\r\n\r\n`;
  t.match(await sendRaw(port, `${head}ab`), { body: /streams/ });
  t.match(await sendRaw(port, `${head}abcd`), { body: /abcd/ });
  t.match(await send('limited', '{"name":"a"}'), { body: /\{"name":"a"\}/ });
  t.equal(codeOf(await send('limited', '{"name":"b"}')), 'event_not_allowed');
  const whole = await gatewayWith(t, { needsBody: () => true });
  t.match(await whole.send('k', 'x'), { body: /\bx\b/ });
});

t.test('in report mode a cut is noted and not made', async (t) => {
  const { send, outcomes } = await gatewayWith(t);
  const body = '{"events":[{"name":"a"},{"name":"b"}]}';
  t.match((await send('report', body, '/event/ingest/batch')).body, body);
  t.match(outcomes, [
    { wouldReject: { code: 'event_not_allowed' }, removedEvents: 1, forwardedEvents: 1, status: 200 },
  ]);
  t.notMatch((await send('limited', body, '/event/ingest/batch')).body, '"b"');
  t.match(outcomes[1], { wouldReject: null, removedEvents: 1 });
});

t.test('more requests than may be under way', async (t) => {
  const { send } = await gatewayWith(t, { inFlight: createInFlight({ limit: 0, apis: 1 }) });
  t.match(await send('k'), { status: 503, body: /overloaded/ });
});

t.test('a bug on one request\u2019s way is the end of that request alone', async (t) => {
  const broken: Partial<GatewayPorts>[] = [
    {
      authenticate: () => {
        throw new Error('a bug');
      },
    },
    { authenticate: () => Promise.reject(new Error('a bug')) },
    {
      pass: () => {
        throw new Error('a bug');
      },
    },
  ];
  for (const change of broken) {
    const { send, outcomes, inFlight } = await gatewayWith(t, change);
    const answer = await send('k');
    t.match([answer.status, codeOf(answer)], [500, 'internal_error']);
    t.notMatch(answer.text, 'a bug');
    t.match(outcomes, [{ status: 500, refusal: { why: /a bug/ } }]);
    t.equal(inFlight.length % 2, 0);
  }
});

t.test('a refusal after an answer has begun breaks it off, and the status that was told is recorded', async (t) => {
  const { port, outcomes } = await gatewayWith(t, {
    pass: (exchange) => {
      exchange.res.writeHead(200);
      exchange.res.write('begun');
      throw new Error('a bug');
    },
  });
  const bytes = `POST / HTTP/1.1\r\nHost: a\r\n${bearer('k').join(': ')}\r\n\r\n`;
  const answer = await sendRaw(port, bytes, { untilClose: true });
  t.equal(answer.closed, true);
  t.match(outcomes, [{ status: 200, refusal: { code: 'internal_error' } }]);
});

t.test('while draining, every answer is the last of its connection', async (t) => {
  const { send } = await gatewayWith(t, { draining: () => true });
  for (const id of ['k', 'nobody']) t.equal((await send(id)).headers['connection'], 'close');
});

t.test('what an own endpoint answers is not counted as under way', async (t) => {
  const { send, inFlight } = await gatewayWith(t, {
    rules: () => ({ ...RULES, metrics: apiRules({ name: 'metrics' }) }),
    ownEndpoint: () => 'token',
    answerOwn: ({ res }) => void res.writeHead(200, { 'Content-Length': 5 }).end('token'),
  });
  t.match(await send('k'), { body: 'token' });
  t.same(inFlight, []);
});
