import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import t, { type Test } from 'tap';
import { clientErrorListener } from '../../src/data-port/client-error.ts';
import { recordOf } from '../../src/data-port/socket-record.ts';
import type { Refusal } from '../../src/refusal.ts';
import { connectionOf } from '../../src/request/connection.ts';
import type { Exchange } from '../../src/request/exchange.ts';
import { serveExchanges } from '../support/exchanges.ts';
import { RawClient } from '../support/upstream.ts';

async function listening(t: Test, handle: (exchange: Exchange) => void) {
  const recorded: Refusal[] = [];
  const refused: Refusal[] = [];
  const { port, server } = await serveExchanges(t, handle);
  const listener = clientErrorListener({
    openOn: (socket) => connectionOf(socket).open,
    nextRequestId: () => 'id-2',
    record: (_socket, reason) => void recorded.push(reason),
    refuse: ({ req }, reason) => {
      refused.push(reason);
      req.socket.destroy();
    },
  });
  server.on('clientError', (error, socket) => listener(error, socket as never));
  return { port, server, recorded, refused };
}

async function send(t: Test, port: number, bytes: string): Promise<string> {
  const client = new RawClient(t, port);
  client.write(bytes);
  await client.closed;
  return client.text;
}

t.test('a request that cannot be parsed gets a document of its own', async (t) => {
  const { port, recorded } = await listening(t, () => {});
  const cases = {
    malformed_request: 'GET / HTTP/1.1\r\nA : b\r\n\r\n',
    not_implemented: 'G@T / HTTP/1.1\r\n\r\n',
    version_not_supported: 'GET / HTTP/9.9\r\n\r\n',
    header_fields_too_large: `GET / HTTP/1.1\r\nA: ${'x'.repeat(200_000)}\r\n\r\n`,
  };
  for (const [code, bytes] of Object.entries(cases)) {
    const text = await send(t, port, bytes);
    t.match(
      text,
      new RegExp(
        `^HTTP/1\\.1 \\d{3} [\\s\\S]*Date: [\\s\\S]*X-Request-Id: id-2[\\s\\S]*Connection: close[\\s\\S]*"code":"${code}"`,
      ),
    );
    const [head = '', body = ''] = text.split('\r\n\r\n');
    t.equal(/Content-Length: (\d+)/.exec(head)?.[1], String(body.length));
    t.equal(recorded.at(-1)?.code, code);
    t.notMatch(text, /undefined/);
  }
  t.equal(
    await send(t, port, 'GET / HTTP/1.1\nHost: a\n\n').then((text) => /"code":"(\w+)"/.exec(text)?.[1]),
    'malformed_request',
  );
});

t.test('a body that breaks is the refusal of its request', async (t) => {
  const { port, recorded, refused } = await listening(t, ({ req }) => void req.resume());
  await send(t, port, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n');
  t.match([refused, recorded], [[{ code: 'malformed_request' }], []]);
});

t.test('what breaks behind a whole request leaves its answer alone', async (t) => {
  const { port, recorded, refused } = await listening(t, ({ res }) => void setImmediate(() => res.end('answer')));
  const text = await send(t, port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\nG@T\r\n\r\n');
  t.match(text, /^HTTP\/1\.1 200 OK[\s\S]*Connection: close[\s\S]*answer/);
  t.match([refused, recorded], [[], [{ code: 'not_implemented' }]]);
});

t.test('the answer before broken bytes is read to its end by a client that is still sending them', async (t) => {
  const closing: boolean[] = [];
  const { port } = await listening(t, ({ req, res }) => {
    setImmediate(() => {
      closing.push(recordOf(req.socket).closing);
      res.end('answer');
    });
  });
  const client = new RawClient(t, port);
  client.write(`GET / HTTP/1.1\r\nHost: a\r\n\r\nG@T${'x'.repeat(3_000_000)}`);
  await client.closed;
  t.match(client.text, /answer$/);
  t.same(closing, [true]);
  t.equal(client.error, null);
});

t.test('an answer that had begun before the broken bytes were seen is the last one all the same', async (t) => {
  const ended: boolean[] = [];
  const { port } = await listening(t, ({ req, res }) => {
    res.writeHead(200, { 'Content-Length': 6 }).flushHeaders();
    // Node lets it wait for a next request: its head promised that.
    res.on('finish', () => setImmediate(() => ended.push(req.socket.writableEnded)));
    setImmediate(() => res.end('answer'));
  });
  const text = await send(t, port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\nG@T\r\n\r\n');
  t.match(text, /answer$/);
  t.same(ended, [true]);
});

t.test('a body that breaks after its answer was given ends the connection', async (t) => {
  const { port, refused } = await listening(t, (exchange) => {
    exchange.settled = true;
    connectionOf(exchange.req.socket).open = null;
    exchange.req.resume();
  });
  t.equal(await send(t, port, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'), '');
  t.same(refused, []);
});

t.test('a request that was answered before its body came gets no second answer when that is late', async (t) => {
  const { port, server, recorded, refused } = await listening(t, (exchange) => {
    const { req, res } = exchange;
    exchange.settled = true;
    connectionOf(req.socket).open = null;
    req.resume();
    const late = Object.assign(new Error('late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
    res.once('finish', () => setImmediate(() => server.emit('clientError', late, req.socket)));
    res.end('early');
  });
  for (const fields of ['Content-Length: 10\r\n\r\nab', 'Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n']) {
    const text = await send(t, port, `POST / HTTP/1.1\r\nHost: a\r\n${fields}`);
    t.match(text, /^HTTP\/1\.1 200 OK[^]*early$/, fields);
  }
  t.same([refused, recorded], [[], []]);
  const next = await send(t, port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nabGET / HT');
  t.match(next, /early[^]*HTTP\/1\.1 408 /, 'the next one, which has none, is told');
  t.match(recorded, [{ code: 'request_timeout' }]);
});

/** A connection of which no request is known. `read`: the bytes that came. */
class Bare extends Duplex {
  written = '';
  readonly bytesRead: number;
  constructor(read: number) {
    super({ allowHalfOpen: true });
    this.bytesRead = read;
  }
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.written += chunk.toString();
    done();
  }
}

/** What becomes of a bare connection on which this error is told. */
function told(code: string, read = 10, prepare: (socket: Socket) => void = () => {}) {
  const recorded: Refusal[] = [];
  const listener = clientErrorListener({
    openOn: () => null,
    nextRequestId: () => 'id-3',
    record: (_socket, reason) => void recorded.push(reason),
    refuse: () => undefined,
  });
  const bare = new Bare(read);
  const socket = bare as unknown as Socket;
  prepare(socket);
  listener(Object.assign(new Error('broken'), { code }), socket);
  const { written, destroyed } = bare;
  bare.destroy();
  return { written, destroyed, recorded: recorded.map((reason) => reason.code) };
}

t.test('a connection that broke is closed, and is no refusal', async (t) => {
  for (const code of ['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT'])
    t.same(told(code), { written: '', destroyed: true, recorded: [] }, code);
});

t.test('a request that came in part and no further is told so; where none came, there is nobody to tell', async (t) => {
  const late = told('ERR_HTTP_REQUEST_TIMEOUT');
  t.match(late.written, /^HTTP\/1\.1 408 [^]*"code":"request_timeout"/);
  t.same([late.destroyed, late.recorded], [false, ['request_timeout']]);
  const nothing = { written: '', destroyed: true, recorded: [] };
  t.same(told('ERR_HTTP_REQUEST_TIMEOUT', 0), nothing);
  t.same(told('ERR_TLS_HANDSHAKE_TIMEOUT'), nothing);
  const behindProxy = (socket: Socket): void => void (recordOf(socket).proxyHeaderLength = 10);
  t.same(told('ERR_HTTP_REQUEST_TIMEOUT', 10, behindProxy), nothing, 'the PROXY header is no request');
  t.equal(told('ERR_HTTP_REQUEST_TIMEOUT', 11, behindProxy).recorded.length, 1);
  t.equal(told('HPE_INVALID_METHOD', 0).recorded.length, 1, 'what is broken is told in any case');
});

t.test('what follows the last answer is not looked at', async (t) => {
  const closing = (socket: Socket): void => void (recordOf(socket).closing = true);
  t.same(told('HPE_INVALID_METHOD', 10, closing), { written: '', destroyed: false, recorded: [] });
});

/** A packet that Node's parser gave up on, on a connection of which so much was read. */
function gaveUpOn(packet: string | Buffer, { read = packet.length, parsed = 0, code = 'HPE_INVALID_METHOD' } = {}) {
  const recorded: { reason: Refusal; line: unknown }[] = [];
  const listener = clientErrorListener({
    openOn: () => null,
    nextRequestId: () => 'id-4',
    record: (_socket, reason, requestId, line) => void recorded.push({ reason: { ...reason, why: requestId }, line }),
    refuse: () => undefined,
  });
  const bare = new Bare(read);
  const error = Object.assign(new Error('broken'), {
    code,
    rawPacket: Buffer.from(packet as string, 'latin1'),
    ...(parsed > 0 && { bytesParsed: parsed }),
  });
  listener(error, bare as unknown as Socket);
  const { written } = bare;
  bare.destroy();
  return { written, ...recorded[0] };
}

t.test(
  'a PROXY header that nobody expects is told as what it is, at the beginning of a connection alone',
  async (t) => {
    const header = 'PROXY TCP4 203.0.113.7 198.51.100.1 56324 443\r\n';
    const first = gaveUpOn(header);
    t.match(first.reason, { code: 'malformed_request', rule: 'listen.proxyProtocol', detail: /PROXY protocol header/ });
    t.match(first.written, /^HTTP\/1\.1 400 [^]*none is expected from this peer/);
    t.equal(gaveUpOn(header, { read: header.length + 1 }).reason?.code, 'not_implemented');
    t.equal(gaveUpOn('PRI * HTTP/2.0\r\n\r\n').reason?.code, 'not_implemented');
  },
);

t.test('the line of a broken request is recorded with it, where it can be read', async (t) => {
  t.same(gaveUpOn('GET /a HTTP/1.1\r\nA : b\r\n').line, { method: 'GET', target: '/a' });
  t.equal(gaveUpOn('nonsense').line, null);
  const second = 'GET / HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nA : b\r\n';
  t.equal(gaveUpOn(second, { parsed: 30 }).line, null, 'nor of a later one in a packet');
  t.equal(gaveUpOn('GET /a HTTP/1.1\r\nA : b\r\n').reason?.why, 'id-4');
});

t.test('each fault of the parser has its code', async (t) => {
  const codeOf = (code: string) => told(code).recorded[0];
  t.same(['ERR_HTTP_REQUEST_TIMEOUT', 'HPE_HEADER_OVERFLOW', 'HPE_INVALID_METHOD', 'HPE_STRICT'].map(codeOf), [
    'request_timeout',
    'header_fields_too_large',
    'not_implemented',
    'malformed_request',
  ]);
  t.equal(codeOf('HPE_INVALID_VERSION'), 'version_not_supported');
  const half = (socket: Socket): void => void socket.end();
  t.same(told('HPE_INVALID_METHOD', 10, half), { written: '', destroyed: true, recorded: [] }, 'nobody reads any more');
});
