import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import t from 'tap';
import { answer, lingerOnClose, problemBody, problemHeaders } from '../../src/data-port/answer.ts';
import { recordOf } from '../../src/data-port/socket-record.ts';
import { refusal, REFUSALS, type RefusalCode } from '../../src/refusal.ts';
import { serveExchanges } from '../support/exchanges.ts';
import { sendRaw } from '../support/raw-http.ts';
import { catchTimers } from '../support/timers.ts';
import { RawClient } from '../support/upstream.ts';

const OWN = { status: 403, headers: ['X-A', 'b'], body: '{"n":1}', close: false };

t.test('a problem document for each code', async (t) => {
  for (const [code, { status, title, detail }] of Object.entries(REFUSALS))
    t.strictSame(
      JSON.parse(problemBody(refusal(code as Exclude<RefusalCode, 'invalid_credential'>, ''), 'id-1', 'problem')),
      {
        type: 'about:blank',
        title,
        status,
        code,
        detail,
        requestId: 'id-1',
      },
    );
});

t.test('a refusal may have a text of its own for the caller', async (t) => {
  const told = { ...refusal('no_route', 'for the log'), detail: 'For the "caller".' };
  const body = problemBody(told, 'id-1', 'problem');
  t.match(JSON.parse(body), { code: 'no_route', title: 'No Route', detail: 'For the "caller".', requestId: 'id-1' });
  t.notMatch(body, 'for the log');
});

t.test('for clients of Amplitude the status is the code, and what is final says so in their words', async (t) => {
  for (const [code, { status, title, detail }] of Object.entries(REFUSALS)) {
    const again = [408, 413, 429, 500, 501, 502, 503, 504, 505].includes(status);
    t.strictSame(
      JSON.parse(problemBody(refusal(code as Exclude<RefusalCode, 'invalid_credential'>, ''), 'id-1', 'amplitude')),
      {
        type: 'about:blank',
        title,
        status,
        code: status,
        reason: code,
        detail,
        error: again ? detail : `Invalid API key or request: ${detail}`,
        requestId: 'id-1',
      },
    );
  }
});

t.test('the headers that belong to a refusal', async (t) => {
  const headers = (code: Exclude<RefusalCode, 'invalid_credential'>, retryAfter?: number) => {
    const list = problemHeaders({ ...refusal(code, ''), ...(retryAfter === undefined ? {} : { retryAfter }) }, 'id-1');
    return Object.fromEntries(list.flatMap((name, i) => (i % 2 === 0 ? [[name, list[i + 1]]] : [])));
  };
  t.strictSame(headers('no_route'), {
    'Content-Type': 'application/problem+json',
    'X-Request-Id': 'id-1',
    'Cache-Control': 'no-store',
  });
  t.equal(headers('missing_credential')['WWW-Authenticate'], 'Bearer');
  t.match(headers('method_not_supported')['Allow'], /GET.*POST/);
  t.same(problemHeaders({ ...refusal('method_not_supported', ''), allow: 'POST' }, 'r').slice(-2), ['Allow', 'POST']);
  t.equal(headers('rate_limited', 7)['Retry-After'], '7');
});

t.test('the connection is kept when the body has arrived, and closed when not', async (t) => {
  const { port } = await serveExchanges(t, (exchange) => answer(exchange, OWN));
  const head = 'POST / HTTP/1.1\r\nHost: a\r\n';
  for (const bytes of [
    `${head}\r\n`,
    `${head}Content-Length: 2\r\n\r\n{}`,
    `${head}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ]) {
    const got = await sendRaw(port, bytes);
    t.match(got, {
      status: 403,
      body: '{"n":1}',
      headers: { 'x-a': 'b', connection: 'keep-alive', 'content-length': '7' },
    });
  }
  for (const bytes of [`${head}Content-Length: 9\r\n\r\n{}`, `${head}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n`]) {
    const got = await sendRaw(port, bytes, { untilClose: true });
    t.match(got, { status: 403, closed: true, headers: { connection: 'close' } });
  }
});

t.test('a last answer is read to its end by a client that is still sending', async (t) => {
  const { port } = await serveExchanges(t, (exchange) => {
    answer(exchange, { ...OWN, close: true });
    t.ok(recordOf(exchange.req.socket).closing);
  });
  const client = new RawClient(t, port);
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n${'x'.repeat(3_000_000)}`);
  await client.closed;
  t.match(client.text, /403[\s\S]*\{"n":1\}$/);
  t.equal(client.error, null);
});

t.test('a client is told at once that nothing follows the last answer, and is read a while longer', async (t) => {
  let server: Socket | null = null;
  const { port } = await serveExchanges(t, (exchange) => {
    server = exchange.req.socket;
    answer(exchange, { ...OWN, close: true });
  });
  const client = new RawClient(t, port, { allowHalfOpen: true });
  client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhe');
  await once(client.socket, 'end');
  const socket = server as unknown as Socket;
  t.notOk(socket.destroyed);
  client.write('llo');
  await once(socket, 'data');
  client.socket.end();
  await client.closed;
  t.equal(client.error, null);
});

/** A connection that lingers after its last answer, and the timers that it does that by. */
function lingering() {
  const closed: string[] = [];
  const socket = new Duplex({
    allowHalfOpen: true,
    read: () => undefined,
    write: (_chunk, _encoding, done) => done(),
    final: (done) => (closed.push('answer ended'), done()),
  });
  socket.on('close', () => closed.push('closed'));
  const read = Object.assign(socket, { bytesRead: 1000 }) as unknown as Socket & { bytesRead: number };
  lingerOnClose(read);
  const timers = catchTimers(() => read.destroySoon());
  return { socket: read, closed, timers };
}

t.test(
  'the connection of a last answer is closed for writing at once, and wholly when its client closes it',
  async (t) => {
    const { socket, closed } = lingering();
    await new Promise(setImmediate);
    t.same(closed, ['answer ended']);
    socket.push('more of the body');
    socket.push(null);
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    t.same(closed, ['answer ended', 'closed'], 'what still came was read and dropped');
  },
);

t.test('a client that does not close it is read for a second, and for 4 MiB', async (t) => {
  const slow = lingering();
  t.same(
    slow.timers.map(({ ms }) => ms),
    [1000, 50],
  );
  slow.timers[0]?.run();
  t.ok(slow.socket.destroyed);
  const fast = lingering();
  fast.socket.bytesRead += 4 * 1024 * 1024;
  fast.timers[1]?.run();
  t.notOk(fast.socket.destroyed);
  fast.socket.bytesRead += 1;
  fast.timers[1]?.run();
  t.ok(fast.socket.destroyed);
});

t.test('nothing is left of a connection that lingered', async (t) => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  let closed: Promise<unknown> | null = null;
  const { port } = await serveExchanges(t, (exchange) => {
    closed = new Promise((resolve) => exchange.req.socket.on('close', resolve));
    answer(exchange, { ...OWN, close: true });
  });
  await sendRaw(port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhe', { untilClose: true });
  await closed;
  t.ok(timers() <= before);
});

t.test('after an answer has begun there is only the end of the connection', async (t) => {
  const { port } = await serveExchanges(t, (exchange) => {
    exchange.res.writeHead(200).write('begun');
    answer(exchange, OWN);
  });
  const got = await sendRaw(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', { untilClose: true });
  t.notMatch(got.text, /403|0\r\n\r\n/);
});

t.test('204 has no length', async (t) => {
  const { port } = await serveExchanges(t, (exchange) => answer(exchange, { ...OWN, status: 204, body: '' }));
  t.equal((await sendRaw(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).headers['content-length'], undefined);
});

t.test('an answer that cannot be written ends its connection and nothing else', async (t) => {
  const { port } = await serveExchanges(t, (exchange) =>
    answer(exchange, { ...OWN, headers: ['X-A', 'a\u0001'], close: exchange.facts.target === '/last' }),
  );
  for (const target of ['/', '/last']) {
    const got = await sendRaw(port, `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
    t.match(got, { closed: true, text: '' });
  }
});

t.test('the methods that are served are said where one is not', async (t) => {
  t.same(problemHeaders(refusal('method_not_supported', ''), 'r').slice(-2), [
    'Allow',
    'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
  ]);
  t.same(problemHeaders({ ...refusal('no_route', ''), allow: 'POST' }, 'r').includes('Allow'), false);
});

t.test('a text beyond ASCII has the length of its bytes', async (t) => {
  const { port } = await serveExchanges(t, (exchange) => answer(exchange, { ...OWN, body: 'caf\u00e9 \u20ac' }));
  const got = await sendRaw(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  t.equal(got.headers['content-length'], '9');
  t.equal(Buffer.from(got.body, 'latin1').toString(), 'caf\u00e9 \u20ac');
});
