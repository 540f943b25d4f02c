/** Requests that are pipelined are answered as if they came one by one, and few of them are read at a time. */
import * as fc from 'fast-check';
import { once } from 'node:events';
import http, { type RequestListener, type ServerResponse } from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import {
  continueInTurn,
  hidePauses,
  keepPace,
  latestAnswerOn,
  MAX_WAITING_ANSWERS,
  onceAnswered,
  watchPackets,
} from '../../src/lib/pipelining.ts';
import { RawClient } from '../support/upstream.ts';

/** One is noticed late: the first packet is read by Node alone. */
const MOST = MAX_WAITING_ANSWERS + 1;

async function pacedServer(t: Test, handle: RequestListener) {
  const errors: string[] = [];
  const server = http.createServer({ requireHostHeader: false }, (req, res) => {
    keepPace(req, res);
    handle(req, res);
  });
  server.maxHeadersCount = 0;
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    errors.push(error.code ?? '');
    socket.destroy();
  });
  hidePauses(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, errors, port: (server.address() as AddressInfo).port };
}

const KINDS = ['none', 'length', 'chunked', 'trailer', 'old'] as const;

/** `shape`: how its body is framed, which also says that empty lines stand before it (RFC 9112 2.2). */
const requestOf = (kind: (typeof KINDS)[number], body: string, emptyLines: number): string => {
  const before = '\r\n'.repeat(emptyLines);
  const chunk = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`;
  switch (kind) {
    case 'none':
      return `${before}GET /${body.replaceAll(/[^a-z]/g, '')} HTTP/1.1\r\nHost: a\r\n\r\n`;
    case 'old':
      return `${before}GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`;
    case 'length':
      return `${before}POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    case 'chunked':
      return `${before}POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`;
    case 'trailer':
      return `${before}POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}0\r\nA: b\r\n\r\n`;
  }
};

/** Bodies that look like the ends of heads, and like requests. */
const body = fc.oneof(
  fc.string({ unit: fc.constantFrom('\r', '\n', 'a', '0'), maxLength: 12 }),
  fc.constant('GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
  fc.integer({ min: 500, max: 3000 }).map((length) => 'x'.repeat(length)),
);
const message = fc.record({
  kind: fc.constantFrom(...KINDS),
  body,
  emptyLines: fc.constantFrom(0, 0, 0, 1, 2),
  late: fc.boolean(),
});
const stream = fc.record({
  messages: fc.array(message, { minLength: 1, maxLength: 30, size: 'max' }),
  cuts: fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 12 }),
});

t.test('every request is answered once, in order, with the body it had, however the bytes come', async (t) => {
  const waiting = { now: 0, most: 0 };
  let late: boolean[] = [];
  const { port, errors } = await pacedServer(t, (req, res) => {
    waiting.most = Math.max(waiting.most, ++waiting.now);
    res.once('finish', () => waiting.now--);
    const isLate = late.shift();
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => {
      const text = `[${req.method} ${Buffer.concat(parts).toString('latin1')}]`;
      const end = (): void => void res.writeHead(200, { 'Content-Length': text.length }).end(text);
      if (isLate === true) setImmediate(end);
      else end();
    });
  });
  await fc.assert(
    fc.asyncProperty(stream, async ({ messages, cuts }) => {
      late = messages.map((one) => one.late);
      const bytes = messages.map(({ kind, body, emptyLines }) => requestOf(kind, body, emptyLines)).join('');
      const wanted = messages.map(({ kind, body }) =>
        kind === 'none' || kind === 'old' ? '[GET ]' : `[POST ${body}]`,
      );
      const client = new RawClient(t, port);
      let at = 0;
      for (const cut of cuts) {
        client.write(bytes.slice(at, (at += cut)));
        await new Promise(setImmediate);
      }
      client.write(`${bytes.slice(at)}GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      await client.closed;
      const bodies = client.text
        .split(/HTTP\/1\.1 200 OK\r\n/)
        .slice(1)
        .map((answer) => answer.slice(answer.indexOf('\r\n\r\n') + 4));
      t.same(bodies, [...wanted, '[GET ]'], JSON.stringify(bytes));
    }),
    { numRuns: 80 },
  );
  // Where a chunked body ends is not known as exactly.
  t.ok(waiting.most < 10, `${waiting.most} were read at a time`);
  t.ok(waiting.most > 1);
  t.same(errors, []);
});

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

t.test('of thousands of requests in one packet few are read until answers have gone out', async (t) => {
  const waiting: ServerResponse[] = [];
  const seen = { count: 0 };
  const arrived = new EventTarget();
  const { port } = await pacedServer(t, (_req, res) => {
    seen.count++;
    waiting.push(res);
    arrived.dispatchEvent(new Event('request'));
  });
  const client = new RawClient(t, port);
  client.write(GET.repeat(2000));
  while (seen.count < MOST) await once(arrived, 'request');
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  t.equal(seen.count, MOST);
  let most = 0;
  while (seen.count < 2000) {
    waiting.shift()?.end('x');
    if (waiting.length === 0) await once(arrived, 'request');
    most = Math.max(most, waiting.length);
  }
  t.ok(most <= MOST);
  for (const res of waiting) res.end('x');
  while (client.text.split('HTTP/1.1 200').length <= 2000) await once(client.socket, 'data');
  client.socket.destroy();
});

t.test('nor are they read where each head comes with the end of the chunked body before it', async (t) => {
  for (const length of [30, 60, 64, 200]) {
    const waiting: ServerResponse[] = [];
    const seen = { count: 0 };
    const { port } = await pacedServer(t, (req, res) => {
      seen.count++;
      req.resume();
      waiting.push(res);
    });
    const client = new RawClient(t, port);
    const chunked = `POST /${'x'.repeat(length)} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`;
    client.write(chunked.repeat(500) + GET.replace('Host', 'Connection: close\r\nHost'));
    while (seen.count < MOST) await new Promise(setImmediate);
    let most = 0;
    while (seen.count < 501 || waiting.length > 0) {
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
      most = Math.max(most, waiting.length);
      waiting.shift()?.end('x');
    }
    t.ok(most <= MAX_WAITING_ANSWERS + 3, `${most} were read at a time`);
    await client.closed;
    t.equal(client.text.split('HTTP/1.1 200').length, 502);
  }
});

t.test('the body of a request that was begun is read, whatever waits before it', async (t) => {
  const bodies: string[] = [];
  const waiting: ServerResponse[] = [];
  const { port } = await pacedServer(t, (req, res) => {
    waiting.push(res);
    req.setEncoding('latin1').on('data', (text: string) => void bodies.push(text));
  });
  for (const framed of ['Content-Length: 2\r\n\r\nhi', 'Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n']) {
    bodies.length = 0;
    const client = new RawClient(t, port);
    client.write(`${GET.repeat(2)}POST / HTTP/1.1\r\nHost: a\r\n${framed}`);
    while (bodies.length === 0) await new Promise(setImmediate);
    t.same(bodies, ['hi']);
    while (waiting.length > 0) waiting.shift()?.end('x');
    client.socket.destroy();
  }
});

t.test('a connection on which one request follows the other is left to Node', async (t) => {
  const sockets = new Set<Socket>();
  const { port } = await pacedServer(t, (req, res) => {
    sockets.add(req.socket);
    res.end('x');
  });
  const client = new RawClient(t, port);
  for (const answers of [1, 2, 3]) {
    client.write(GET);
    while (client.text.split('HTTP/1.1 200').length <= answers) await once(client.socket, 'data');
  }
  const [socket] = sockets;
  t.equal(socket?.listeners('data').length, 1, 'with its own listener');
  // oxlint-disable-next-line no-underscore-dangle
  t.equal((socket as unknown as { readonly _handle: { readonly _consumed: boolean } })._handle._consumed, true);
});

t.test('behind two that wait no third is read, also where the first were answered before', async (t) => {
  const waiting: ServerResponse[] = [];
  const seen: (string | undefined)[] = [];
  const { port } = await pacedServer(t, (req, res) => {
    seen.push(req.url);
    waiting.push(res);
  });
  const client = new RawClient(t, port);
  client.write(GET.repeat(2));
  while (seen.length < 2) await new Promise(setImmediate);
  waiting.shift()?.end('first');
  await client.until('first');
  client.write(GET.repeat(20));
  while (seen.length < 3) await new Promise(setImmediate);
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  t.equal(seen.length, 3);
  for (; seen.length < 22 || waiting.length > 0; await new Promise(setImmediate)) waiting.shift()?.end('x');
});

t.test('two requests are under way at once where nothing of an answer waits to be taken', async (t) => {
  const waiting: ServerResponse[] = [];
  const seen: (string | undefined)[] = [];
  const { port } = await pacedServer(t, (req, res) => {
    seen.push(req.url);
    waiting.push(res);
  });
  const client = new RawClient(t, port);
  client.write(GET.repeat(12));
  for (let answered = 0; answered < 8; answered++) {
    while (waiting.length < 2) await new Promise(setImmediate);
    waiting.shift()?.end('x');
    await once(client.socket, 'data');
  }
  t.ok(seen.length >= 10);
  for (; seen.length < 12 || waiting.length > 0; await new Promise(setImmediate)) waiting.shift()?.end('x');
});

t.test('what comes while an answer fills the connection is kept until there is room', async (t) => {
  const seen: (string | undefined)[] = [];
  const waiting: ServerResponse[] = [];
  const { port } = await pacedServer(t, (req, res) => {
    seen.push(req.url);
    if (seen.length === 1) res.write('y'.repeat(500_000));
    waiting.push(res);
  });
  const client = new RawClient(t, port);
  const targets = Array.from({ length: 10 }, (_, n) => `/${n}`);
  client.write(targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
  for (; seen.length < 10 || waiting.length > 0; await new Promise(setImmediate)) waiting.shift()?.end('x');
  t.same(seen, targets);
});

t.test('a request that ends its packet while an answer fills the connection is whole all the same', async (t) => {
  const waiting: ServerResponse[] = [];
  const ended: (string | undefined)[] = [];
  const { port } = await pacedServer(t, (req, res) => {
    req.on('end', () => ended.push(req.url)).resume();
    if (waiting.push(res) === 1) res.write('y'.repeat(500_000));
  });
  const client = new RawClient(t, port);
  const targets = ['/0', '/1', '/2'];
  client.write(targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
  while (ended.length < 3) {
    for (const res of waiting) if (!res.writableEnded) res.end('x');
    await new Promise(setImmediate);
  }
  t.same(ended, targets);
});

t.test('what is broken behind requests that wait is told once they are answered', async (t) => {
  const { port, errors } = await pacedServer(t, (_req, res) => void setImmediate(() => res.end('x')));
  const client = new RawClient(t, port);
  client.write(`${GET.repeat(5)}G@T / HTTP/1.1\r\n\r\n`);
  await client.closed;
  t.same(errors, ['HPE_INVALID_METHOD']);
  t.ok(client.text.split('HTTP/1.1 200').length > 3);
});

t.test('a pause that nobody here made is an error like any other', async (t) => {
  const { server, errors } = await pacedServer(t, (_req, res) => void res.end());
  const socket = new net.Socket();
  server.emit('clientError', Object.assign(new Error('paused'), { code: 'HPE_PAUSED' }), socket);
  t.same(errors, ['HPE_PAUSED']);
});

t.test('the latest answer that is not out', async (t) => {
  let socket: Socket | null = null;
  const waiting: ServerResponse[] = [];
  const { port } = await pacedServer(t, (req, res) => {
    ({ socket } = req);
    t.equal(latestAnswerOn(socket), res);
    waiting.push(res);
  });
  const client = new RawClient(t, port);
  client.write(GET.repeat(2));
  while (waiting.length < 2) await new Promise(setImmediate);
  for (const res of waiting) res.end('x');
  while (client.text.split('HTTP/1.1 200').length < 3) await once(client.socket, 'data');
  t.equal(latestAnswerOn(socket as unknown as Socket), null);
});

t.test('who watches packets sees each byte once, before the parser, also where it stopped', async (t) => {
  const seen: string[] = [];
  const cuts: number[] = [];
  const { port } = await pacedServer(t, (req, res) => {
    if (req.url === '/watch')
      watchPackets(req.socket, {
        onPacket: (packet) => void seen.push(packet.toString('latin1')),
        onCut: (at) => void cuts.push(at),
      });
    setImmediate(() => res.end('x'));
  });
  for (const before of [0, 5]) {
    seen.length = 0;
    cuts.length = 0;
    const client = new RawClient(t, port);
    const watch = 'GET /watch HTTP/1.1\r\n\r\n';
    client.write(GET.repeat(before) + watch + GET.repeat(5));
    const end = 'GET /end HTTP/1.1\r\nConnection: close\r\n\r\n';
    while (client.text.split('HTTP/1.1 200').length < before + 7) await once(client.socket, 'data');
    client.write(end);
    await client.closed;
    if (before === 0) t.same(cuts, [watch.length + GET.length * 2]);
    t.equal(seen.join(''), GET.repeat(before === 0 ? 3 : 5) + end);
  }
});

t.test('100 Continue comes in its turn: before the answer, and never into the one before it', async (t) => {
  const { server, port } = await pacedServer(t, (_req, res) => void setImmediate(() => res.end('first')));
  server.on('checkContinue', (req, res) => {
    keepPace(req, res);
    continueInTurn(req, res);
    req.resume().on('end', () => res.end('second'));
  });
  const expecting = 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n';
  const client = new RawClient(t, port);
  client.write(GET + expecting);
  await client.until('HTTP/1.1 100 Continue');
  t.match(client.text, /^HTTP\/1\.1 200 OK\r\n[^]*first[^]*HTTP\/1\.1 100 Continue\r\n\r\n$/);
  client.write('hi');
  await client.until('second');
  t.equal(client.text.split('100 Continue').length, 2);
  client.write(expecting);
  await client.until('100 Continue\r\n\r\n');
  client.write(`hi${GET.replace('Host', 'Connection: close\r\nHost')}`);
  await client.closed;
  t.equal(client.text.split('second').length, 3, 'the connection goes on');
});

t.test('who is answered before its turn came is not told to go on', async (t) => {
  const first: ServerResponse[] = [];
  const { server, port } = await pacedServer(t, (_req, res) => void first.push(res));
  server.on('checkContinue', (req, res) => {
    keepPace(req, res);
    continueInTurn(req, res);
    res.writeHead(403, { Connection: 'close', 'Content-Length': 2 }).end('no');
    first[0]?.end('first');
  });
  const client = new RawClient(t, port);
  client.write(`${GET}POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`);
  await client.closed;
  t.match(client.text, /first[^]*HTTP\/1\.1 403 Forbidden[^]*no$/);
  t.notMatch(client.text, /100 Continue/);
});

t.test('a body that came with the expectation needs no 100, and its answer is not the last one', async (t) => {
  const { server, port } = await pacedServer(t, (_req, res) => void setImmediate(() => res.end('plain')));
  server.on('checkContinue', (req, res) => {
    keepPace(req, res);
    continueInTurn(req, res);
    req.resume().on('end', () => res.end('second'));
  });
  const client = new RawClient(t, port);
  client.write(
    `${GET}POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi${GET.replace('Host', 'Connection: close\r\nHost')}`,
  );
  await client.closed;
  t.same(client.text.match(/plain|second|100 Continue/g), ['plain', 'second', 'plain']);
});

t.test('a connection that left HTTP is handed over once its answers are out, and not when it is over', async (t) => {
  const answers: ServerResponse[] = [];
  const handed: string[] = [];
  const { server, port } = await pacedServer(t, (_req, res) => void answers.push(res));
  server.on('connect', (req: http.IncomingMessage) => {
    req.socket.on('error', () => undefined);
    onceAnswered(req.socket, () => handed.push(req.url ?? ''));
  });
  const connect = (name: string): string => `CONNECT ${name}:1 HTTP/1.1\r\nHost: ${name}:1\r\n\r\n`;
  const alone = new RawClient(t, port);
  const arrived = once(server, 'connect');
  alone.write(connect('alone'));
  await arrived;
  t.same(handed, ['alone:1'], 'at once where nothing waits');
  for (const gone of [false, true]) {
    const client = new RawClient(t, port);
    const left = once(server, 'connect') as Promise<[http.IncomingMessage]>;
    client.write(GET + connect(gone ? 'gone' : 'there'));
    const [{ socket }] = await left;
    t.equal(handed.length, gone ? 2 : 1, 'not before the answer');
    if (gone) {
      const closed = once(socket, 'close');
      client.socket.destroy();
      socket.destroy();
      await closed;
    }
    const answer = answers.pop() as ServerResponse;
    if (!gone) {
      answer.end('answer');
      await client.until('answer');
    } else answer.emit('finish');
  }
  t.same(handed, ['alone:1', 'there:1']);
});

t.test('the listeners of answers that wait are not taken for a leak', async (t) => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  t.teardown(() => process.off('warning', note));
  const { port } = await pacedServer(t, (_req, res) => void setImmediate(() => res.end('x')));
  const client = new RawClient(t, port);
  client.write(GET.repeat(200) + GET.replace('Host', 'Connection: close\r\nHost'));
  await client.closed;
  await new Promise(setImmediate);
  t.same(warnings, []);
});
