/** Slow: what waits for a client that does not read is as large as what the kernel takes for it. */
import { once } from 'node:events';
import http from 'node:http';
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { forward } from '../../src/upstream/forward.ts';
import { dispatch, type ResponseSink } from '../../src/upstream/dispatch.ts';
import { failureOf } from '../../src/upstream/failure.ts';
import { answering, onRequest, proxyTo, rawBackend, RawClient, talkOnce, upstreamTo } from '../support/upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const GET_CLOSE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const MEGABYTE = 1_048_576;

const immediate = () => new Promise<void>((resolve) => setImmediate(resolve));

const closing = (socket: Socket) =>
  new Promise<void>((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve())));

/** Resolves when the counter has stopped moving: nothing more fits between the two ends. */
async function settled(read: () => number): Promise<number> {
  let last = -1;
  for (let same = 0; same < 5;) {
    await new Promise((resolve) => setTimeout(resolve, 40));
    same = read() === last ? same + 1 : 0;
    last = read();
  }
  return last;
}

void t.test('status, reason and fields reach the client in order and spelling, with one Date', async (t) => {
  const backend = await answering(
    t,
    'HTTP/1.1 418 Short And Stout\r\nDATE: Thu, 01 Jan 1970 00:00:00 GMT\r\nSet-Cookie: a\r\nx-Y: \xe9\r\nSet-Cookie: b\r\n' +
      'Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nContent-Length: 2\r\n\r\nhi',
  );
  const proxy = await proxyTo(t, upstreamTo(t, backend.url));
  const { text } = await talkOnce(t, proxy.port, GET_CLOSE);
  t.equal(
    text,
    'HTTP/1.1 418 Short And Stout\r\nDATE: Thu, 01 Jan 1970 00:00:00 GMT\r\nSet-Cookie: a\r\nx-Y: \xe9\r\nSet-Cookie: b\r\n' +
      'Content-Length: 2\r\nConnection: close\r\n\r\nhi',
  );
  t.match(proxy.results, [{ kind: 'answered', status: 418 }]);
});

void t.test('a reason phrase that is not plain text is left out', async (t) => {
  const backend = await answering(t, 'HTTP/1.1 200 \xff\xfe\r\nContent-Length: 2\r\n\r\nhi');
  const proxy = await proxyTo(t, upstreamTo(t, backend.url));
  t.match((await talkOnce(t, proxy.port, GET_CLOSE)).text, /^HTTP\/1\.1 200 \r\n/);
});

void t.test('upstream seconds run until the response headers, by the clock handed in', async (t) => {
  const backend = await answering(t, OK);
  let now = 1_000;
  const told: number[] = [];
  const onAnswered = (seconds: number) => void told.push(seconds);
  const proxy = await proxyTo(t, upstreamTo(t, backend.url), { now: () => (now += 250), onAnswered });
  await talkOnce(t, proxy.port, GET_CLOSE);
  t.same(told, [0.25]);
});

void t.test('an answer streams: headers and each piece arrive before the next is sent', async (t) => {
  const backend = await rawBackend(t, (socket) => {
    onRequest(socket, () => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'));
  });
  const proxy = await proxyTo(t, upstreamTo(t, backend.url));
  const client = new RawClient(t, proxy.port);
  client.write(GET);
  await client.until('\r\n\r\n');
  backend.sockets[0]?.write('3\r\none\r\n');
  await client.until('one');
  backend.sockets[0]?.write('3\r\ntwo\r\n0\r\n\r\n');
  await client.until('two\r\n0\r\n\r\n');
  t.match(client.text, /^HTTP\/1\.1 200 OK\r\n/);
});

void t.test('an upload streams: each piece reaches the backend before the next is sent', async (t) => {
  for (const framing of ['Content-Length: 6', 'Transfer-Encoding: chunked']) {
    let seen = '';
    const backend = await rawBackend(t, (socket) => socket.on('data', (chunk: Buffer) => (seen += chunk.toString())));
    const proxy = await proxyTo(t, upstreamTo(t, backend.url));
    const client = new RawClient(t, proxy.port);
    const chunk = (text: string): string => (framing.startsWith('T') ? `3\r\n${text}\r\n` : text);
    client.write(`POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${chunk('one')}`);
    while (!seen.includes('one')) await immediate();
    t.match(seen.toLowerCase(), `\r\n${framing.toLowerCase()}\r\n`);
    client.write(`${chunk('two')}${framing.startsWith('T') ? '0\r\n\r\n' : ''}`);
    while (!seen.includes('two')) await immediate();
    backend.sockets[0]?.write(OK);
    await client.until('hi');
  }
});

void t.test('a small upload goes in one piece, with its length', async (t) => {
  const packets: string[] = [];
  const backend = await rawBackend(t, (socket) => {
    socket.on('data', (chunk: Buffer) => packets.push(chunk.toString()));
    onRequest(socket, () => socket.write(OK));
  });
  const proxy = await proxyTo(t, upstreamTo(t, backend.url));
  const client = new RawClient(t, proxy.port);
  for (let i = 1; i <= 3; i += 1) {
    const text = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nbody${i}`;
    client.text = '';
    client.write(text);
    await client.until('hi');
    t.equal(packets.length, i, 'one packet');
    t.match(packets[i - 1], new RegExp(`\\r\\ncontent-length: 5\\r\\n\\r\\nbody${i}$`));
  }
});

void t.test('a client that does not read slows the backend, and then gets every byte', async (t) => {
  const size = 128 * MEGABYTE;
  const piece = Buffer.alloc(MEGABYTE, 'x');
  let written = 0;
  const backend = await rawBackend(t, (socket) => {
    onRequest(socket, () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
      const more = (): void => {
        if (written >= size) return;
        written += piece.length;
        socket.write(piece, more);
      };
      more();
    });
  });
  const proxy = await proxyTo(t, upstreamTo(t, backend.url));
  const client = new RawClient(t, proxy.port);
  client.socket.pause();
  client.write(GET_CLOSE);
  const held = await settled(() => written);
  t.ok(held > 0 && held < 64 * MEGABYTE, `${held} bytes left the backend`);
  let read = 0;
  client.socket.removeAllListeners('data');
  client.socket.on('data', (chunk: Buffer) => (read += chunk.length));
  client.socket.resume();
  await client.closed;
  t.ok(read > size);
  t.match(proxy.results, [{ kind: 'answered' }]);
});

void t.test('a backend that does not read slows the client, and then gets every byte', async (t) => {
  const size = 128 * MEGABYTE;
  const piece = Buffer.alloc(MEGABYTE, 'x');
  const backend = await rawBackend(t, (socket) => socket.pause());
  const proxy = await proxyTo(t, upstreamTo(t, backend.url), { maxBodyBytes: size });
  const client = new RawClient(t, proxy.port);
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`);
  let written = 0;
  const more = (): void => {
    if (written >= size) return;
    written += piece.length;
    client.socket.write(piece, more);
  };
  more();
  const held = await settled(() => written);
  t.ok(held > 0 && held < 64 * MEGABYTE, `${held} bytes left the client`);
  const [socket] = backend.sockets as [Socket];
  let read = 0;
  socket.on('data', (chunk: Buffer) => {
    read += chunk.length;
    if (read > size) socket.write(OK);
  });
  socket.resume();
  await client.until('hi');
  t.ok(read > size);
});

void t.test('a client that stops reading for good loses its connection, and the backend’s is freed', async (t) => {
  const backend = await rawBackend(t, (socket) => {
    onRequest(socket, () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${256 * MEGABYTE}\r\n\r\n`);
      const more = (): void => void socket.write(Buffer.alloc(MEGABYTE), (error) => error ?? more());
      more();
    });
  });
  const proxy = await proxyTo(t, upstreamTo(t, backend.url, { idleTimeoutSeconds: 1 }));
  const client = new RawClient(t, proxy.port);
  client.socket.pause();
  const result = proxy.next();
  client.write(GET);
  t.match(await result, { kind: 'client_gone' });
  const [socket] = backend.sockets as [Socket];
  await closing(socket);
});

void t.test('a client that goes away cancels the request upstream, at any point', async (t) => {
  const points: Record<string, (client: RawClient, backend: Socket) => Promise<unknown>> = {
    'before the answer': async () => {},
    'within the answer': async (client, backend) => {
      backend.write('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nabc');
      await client.until('abc');
    },
  };
  for (const [name, reach] of Object.entries(points)) {
    for (const request of [GET, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\nabc']) {
      const backend = await rawBackend(t, (socket) => socket.resume());
      const proxy = await proxyTo(t, upstreamTo(t, backend.url));
      const client = new RawClient(t, proxy.port);
      client.write(request);
      while (backend.sockets.length === 0) await immediate();
      const [socket] = backend.sockets as [Socket];
      await once(socket, 'data');
      await reach(client, socket);
      const result = proxy.next();
      client.socket.destroy();
      t.match(await result, { kind: 'client_gone' }, name);
      await closing(socket);
      t.equal(proxy.results.length, 1, `${name}: told once`);
    }
  }
});

void t.test('a client that leaves a pipelined answer behind frees the backend too', async (t) => {
  const backend = await rawBackend(t, (socket) => {
    onRequest(socket, (request) => {
      if (!request.startsWith('GET /second')) return;
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${16 * MEGABYTE}\r\n\r\n`);
      socket.write(Buffer.alloc(MEGABYTE));
    });
  });
  const proxy = await proxyTo(t, upstreamTo(t, backend.url));
  const client = new RawClient(t, proxy.port);
  client.write('GET /first HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n');
  while (backend.sockets.length < 2) await immediate();
  while (backend.sockets.some((socket) => socket.bytesRead === 0)) await immediate();
  client.socket.destroy();
  await Promise.all(backend.sockets.map(closing));
  while (proxy.results.length < 2) await immediate();
  t.match(proxy.results, [{ kind: 'client_gone' }, { kind: 'client_gone' }]);
});

void t.test('an answer that breaks off breaks the client’s connection', async (t) => {
  const partial: Record<string, string> = {
    'with a length': 'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nabc',
    'in chunks': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
  };
  for (const [name, bytes] of Object.entries(partial)) {
    for (const then of ['end', 'reset'] as const) {
      for (const version of ['1.1', '1.0']) {
        const backend = await rawBackend(t, (socket) => onRequest(socket, () => socket.write(bytes)));
        const proxy = await proxyTo(t, upstreamTo(t, backend.url));
        const client = new RawClient(t, proxy.port);
        client.write(`GET / HTTP/${version}\r\nHost: a\r\n\r\n`);
        await client.until('abc');
        if (then === 'end') backend.sockets[0]?.end();
        else backend.sockets[0]?.resetAndDestroy();
        await client.closed;
        const label = `${name}, ${then}, HTTP/${version}`;
        t.notMatch(client.text, '0\r\n\r\n', `${label}: no last chunk`);
        if (version === '1.0') t.match(client.error, { code: 'ECONNRESET' }, `${label}: no clean end`);
        t.match(proxy.results, [{ kind: 'failed', failure: { kind: 'truncated' } }], label);
      }
    }
  }
});

void t.test('an answer that broke off in the turn in which it began breaks the connection all the same', async (t) => {
  const proxy = await proxyTo(t, upstreamTo(t, 'http://127.0.0.1:9'), {
    dispatch: (_upstream, _request, sink) => {
      setImmediate(() => {
        sink.onResponse(200, ['Content-Length', '20'], 'OK');
        sink.onData(Buffer.from('abc'));
        sink.onFailure(failureOf('truncated', 'why'));
      });
      return { abort: () => undefined, resume: () => undefined };
    },
  });
  const { text } = await talkOnce(t, proxy.port, GET);
  t.notMatch(text, /502/, 'and there is no second answer');
  t.match(proxy.results, [{ kind: 'failed', failure: { kind: 'truncated' } }]);
});

void t.test('a failure before the answer leaves the answer to the caller, also within an upload', async (t) => {
  const uploads = [GET_CLOSE, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\nabc'];
  for (const request of uploads) {
    for (const then of ['end', 'reset'] as const) {
      const backend = await rawBackend(t, (socket) => {
        socket.on('data', () => (then === 'end' ? socket.end() : socket.resetAndDestroy()));
      });
      const proxy = await proxyTo(t, upstreamTo(t, backend.url));
      const { text } = await talkOnce(t, proxy.port, request);
      t.match(text, /^HTTP\/1\.1 502 [^]*reset/, `${then} ${request}`);
      t.match(proxy.results, [{ kind: 'failed', failure: { kind: 'reset' } }]);
    }
    const silent = await rawBackend(t, (socket) => socket.resume());
    if (request !== GET_CLOSE) continue;
    const proxy = await proxyTo(t, upstreamTo(t, silent.url, { timeoutSeconds: 0.05 }));
    t.match((await talkOnce(t, proxy.port, request)).text, /^HTTP\/1\.1 502 [^]*header_timeout/);
  }
});

void t.test('fields that Node would not write are a malformed answer, not a crash', async (t) => {
  const backend = await answering(t, OK);
  const proxy = await proxyTo(t, upstreamTo(t, backend.url), { answerHeaders: () => ['Bad Name', 'x'] });
  t.match((await talkOnce(t, proxy.port, GET_CLOSE)).text, /^HTTP\/1\.1 502 [^]*malformed/);
});

void t.test('an upload over the limit is cut off, and is the caller’s to refuse', async (t) => {
  for (const framing of ['chunked', 'whole']) {
    const backend = await rawBackend(t, (socket) => socket.resume());
    const proxy = await proxyTo(t, upstreamTo(t, backend.url), { maxBodyBytes: 10 });
    const chunk = '8\r\n01234567\r\n';
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    const client = new RawClient(t, proxy.port);
    if (framing === 'whole') client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n01234567890');
    else {
      client.write(head + chunk);
      while (backend.sockets[0]?.bytesRead === undefined || backend.sockets[0].bytesRead === 0) await immediate();
      client.write(chunk);
    }
    t.match(await client.until('body_too_large'), /^HTTP\/1\.1 502 /, framing);
    await client.closed;
    t.match(proxy.results, [{ kind: 'body_too_large' }]);
    await Promise.all(backend.sockets.map(closing));
  }
});

void t.test('an upload over the limit whose answer has begun is broken off with it', async (t) => {
  const backend = await rawBackend(t, (socket) =>
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun')),
  );
  const proxy = await proxyTo(t, upstreamTo(t, backend.url), { maxBodyBytes: 10 });
  const client = new RawClient(t, proxy.port);
  const chunk = '8\r\n01234567\r\n';
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`);
  await client.until('begun');
  client.write(chunk);
  await client.closed;
  t.match(client.text, /\r\n\r\nbegun$/);
  t.match(proxy.results, [{ kind: 'body_too_large' }]);
  await Promise.all(backend.sockets.map(closing));
});

async function earlyAnswer(
  t: Test,
  maxBodyBytes: number,
  length = MEGABYTE,
): Promise<{ client: RawClient; backend: Socket }> {
  const backend = await rawBackend(t, (socket, index) => {
    if (index === 0) socket.once('data', () => socket.write('HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\nstop'));
    else onRequest(socket, () => socket.write(OK));
  });
  const proxy = await proxyTo(t, upstreamTo(t, backend.url, { maxConnections: 1 }), { maxBodyBytes });
  const client = new RawClient(t, proxy.port);
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(1_000)}`);
  await client.until('stop');
  t.match(proxy.results, [{ kind: 'answered', status: 403 }]);
  const [socket] = backend.sockets as [Socket];
  await closing(socket);
  return { client, backend: socket };
}

void t.test(
  'an answer before the upload ended arrives whole, and the next request is read where it begins',
  async (t) => {
    const { client } = await earlyAnswer(t, MEGABYTE);
    client.write('x'.repeat(MEGABYTE - 1_000));
    client.write(GET);
    t.match(await client.until('hi'), /stopHTTP\/1\.1 200 OK\r\n/);
  },
);

void t.test('an upload that the backend never read is read on after its answer', async (t) => {
  const size = 32 * MEGABYTE;
  const backend = await rawBackend(t, (socket, index) => {
    if (index === 0) socket.pause();
    else onRequest(socket, () => socket.write(OK));
  });
  const proxy = await proxyTo(t, upstreamTo(t, backend.url), { maxBodyBytes: size });
  const client = new RawClient(t, proxy.port);
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
  client.socket.write(Buffer.alloc(size, 'x'));
  client.write(GET);
  await settled(() => client.socket.writableLength);
  t.ok(client.socket.writableLength > 0, 'the upload is stuck');
  backend.sockets[0]?.write('HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\nstop');
  t.match(await client.until('hi'), /stopHTTP\/1\.1 200 OK\r\n/);
});

void t.test('an upload that goes on and on after its answer loses the connection', async (t) => {
  const declared = 64 * MEGABYTE;
  const { client } = await earlyAnswer(t, 100_000, declared);
  const piece = 'x'.repeat(65_536);
  let written = 0;
  // What lies between the two ends may be some megabytes; the rest of the upload is not taken.
  while (!client.socket.closed && written < declared - MEGABYTE) {
    written += piece.length;
    await Promise.race([new Promise((resolve) => client.socket.write(piece, resolve)), client.closed]);
  }
  t.ok(written < declared / 2, `${written} bytes were taken`);
  await client.closed;
  t.match(client.text, /stop$/);
});

void t.test('what still comes after an early answer is read up to the limit and not a byte less', async (t) => {
  const { client } = await earlyAnswer(t, MEGABYTE);
  client.write('x'.repeat(MEGABYTE - 1_000));
  client.write(GET);
  await client.until('hi');
  t.notOk(client.socket.closed);
});

void t.test('requests of one connection leave no listener behind, pipelined or one after the other', async (t) => {
  const backend = await rawBackend(t, (socket) => onRequest(socket, () => socket.write(OK)));
  const proxy = await proxyTo(t, upstreamTo(t, backend.url));
  const client = new RawClient(t, proxy.port);
  const send = async (requests: number): Promise<Record<string, number>> => {
    const wanted = client.text.length + requests * answerLength;
    client.write(GET.repeat(requests));
    while (client.text.length < wanted) await immediate();
    await immediate();
    const [socket] = proxy.sockets as [Socket];
    return Object.fromEntries(socket.eventNames().map((name) => [String(name), socket.listenerCount(name)]));
  };
  client.write(GET);
  await client.until('hi');
  const answerLength = client.text.length;
  const before = await send(1);
  for (const requests of [8, 1, 8, 1]) t.same(await send(requests), before, `after ${requests}`);
});

void t.test('HEAD, 204 and 304 keep their fields and have no body', async (t) => {
  const cases = [
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n', '\r\nContent-Length: 20\r\n'],
    ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\nA: b\r\n\r\n', '\r\nA: b\r\n'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 20\r\n\r\n', '\r\nContent-Length: 20\r\n'],
    ['GET', 'HTTP/1.1 204 No Content\r\nTrailer: X\r\nA: b\r\n\r\n', '\r\nA: b\r\n'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nTrailer: X\r\nA: b\r\n\r\n', '\r\nA: b\r\n'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\nA: b\r\n\r\n', '\r\nA: b\r\n'],
  ];
  for (const [method, bytes, field] of cases as [string, string, string][]) {
    const backend = await answering(t, bytes);
    const proxy = await proxyTo(t, upstreamTo(t, backend.url));
    const client = new RawClient(t, proxy.port);
    client.write(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.until('\r\n\r\n');
    const { text } = client;
    t.match(text, field, bytes);
    t.ok(text.endsWith('\r\n\r\n') && text.indexOf('\r\n\r\n') === text.length - 4, 'no body');
    t.notMatch(text, /transfer-encoding|trailer/i);
  }
});

void t.test('an answer of unknown length ends in chunks for HTTP/1.1, and by closing for HTTP/1.0', async (t) => {
  for (const bytes of [
    'HTTP/1.1 200 OK\r\n\r\nabc',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  ]) {
    const backend = await answering(t, bytes, 'end');
    const proxy = await proxyTo(t, upstreamTo(t, backend.url));
    t.match(
      (await talkOnce(t, proxy.port, GET_CLOSE)).text,
      /\r\nTransfer-Encoding: chunked\r\n[^]*3\r\nabc\r\n0\r\n\r\n$/,
    );
    const old = await talkOnce(t, proxy.port, 'GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n');
    t.match(old.text, /\r\nConnection: close\r\n\r\nabc$/);
    t.notMatch(old.text, /transfer-encoding/i);
    t.equal(old.error, null);
  }
});

void t.test('trailers follow where they can', async (t) => {
  const backend = await answering(
    t,
    'HTTP/1.1 200 OK\r\nTrailer: Repr-Digest\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nRepr-Digest: x\r\nSet-Cookie: no\r\n\r\n',
  );
  const proxy = await proxyTo(t, upstreamTo(t, backend.url));
  const { text } = await talkOnce(t, proxy.port, GET_CLOSE);
  t.match(text, /\r\nTrailer: Repr-Digest\r\n[^]*3\r\nabc\r\n0\r\nRepr-Digest: x\r\n\r\n$/);
  const old = await talkOnce(t, proxy.port, 'GET / HTTP/1.0\r\nHost: a\r\n\r\n');
  t.match(old.text, /\r\n\r\nabc$/);
  t.notMatch(old.text, /trailer/i);
});

/** Whoever answers in place of the upstream, in one turn. */
const answeredBy = (answer: (sink: ResponseSink) => void) => (sink: ResponseSink) => {
  setImmediate(answer, sink);
  return { abort: () => undefined, resume: () => undefined };
};

void t.test('pieces that come in one turn keep their order', async (t) => {
  const send = answeredBy((sink) => {
    sink.onResponse(200, ['Content-Length', '4'], 'OK');
    for (const piece of ['a', 'b', 'cd']) sink.onData(Buffer.from(piece));
    sink.onEnd([]);
  });
  const proxy = await proxyTo(t, upstreamTo(t, 'http://127.0.0.1:9'), { send });
  t.match((await talkOnce(t, proxy.port, GET_CLOSE)).text, /\r\n\r\nabcd$/);
});

void t.test('an answer is watched for a stall once, however often it has to wait for its client', async (t) => {
  const { setInterval } = globalThis;
  let watches = 0;
  const counting = (run: () => void, everyMs: number): NodeJS.Timeout => {
    if (everyMs === 1_234_000) watches++;
    return setInterval(run, everyMs);
  };
  t.intercept(globalThis, 'setInterval', { value: counting });
  const send = answeredBy((sink) => {
    sink.onResponse(200, ['Content-Length', String(MEGABYTE)], 'OK');
    for (let n = 0; n < 16; n++) sink.onData(Buffer.alloc(MEGABYTE / 16, 'x'));
    sink.onEnd([]);
  });
  const proxy = await proxyTo(t, upstreamTo(t, 'http://127.0.0.1:9', { idleTimeoutSeconds: 1234 }), { send });
  t.equal((await talkOnce(t, proxy.port, GET_CLOSE)).text.split('\r\n\r\n')[1]?.length, MEGABYTE);
  t.equal(watches, 1);
});

void t.test('aborting is silent', async (t) => {
  const backend = await rawBackend(t, (socket) => socket.resume());
  const upstream = upstreamTo(t, backend.url);
  const results: unknown[] = [];
  const server = http.createServer((req, res) => {
    const flight = forward({
      upstream,
      req,
      res,
      maxBodyBytes: 1,
      onTooLarge: () => false,
      now: () => 0,
      dispatch,
      send: null,
      onAnswered: () => undefined,
      answerHeaders: () => [],
      onSettled: (result) => results.push(result),
      request: {
        method: 'GET',
        target: '/',
        headers: [],
        host: upstream.host,
        body: null,
        contentLength: null,
        holder: '',
      },
    });
    void (async () => {
      while (backend.sockets.length === 0) await immediate();
      flight.abort();
      res.end('own answer');
    })();
  });
  t.teardown(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as { port: number };
  t.match((await talkOnce(t, port, GET_CLOSE)).text, 'own answer');
  const [socket] = backend.sockets as [Socket];
  await closing(socket);
  t.same(results, []);
});
