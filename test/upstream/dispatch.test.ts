import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import t from 'tap';
import { dispatch, type UpstreamRequest } from '../../src/upstream/dispatch.ts';
import { failureOf, type UpstreamFailure } from '../../src/upstream/failure.ts';
import type { Upstream } from '../../src/upstream/pool.ts';
import type { ConnectionUser } from '../../src/upstream/wire/connection.ts';
import { answering, onRequest, rawBackend, recordFlight, tlsTo, upstreamTo } from '../support/upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';

void t.test('the request line, fields and body go out as given, framed once', async (t) => {
  const seen: string[] = [];
  const backend = await rawBackend(t, (socket) => {
    onRequest(socket, (request) => {
      seen.push(request);
      socket.write(OK);
    });
  });
  const upstream = upstreamTo(t, backend.url, { maxConnections: 1 });
  const headers = ['x-B', '1', 'ACCEPT', '*/*', 'x-B', '\xe9'];
  const target = '/a%41?q=%zz&%C3%A9=\xff';
  const host = `host: ${upstream.host}`;
  await recordFlight(upstream, { target, headers }).done;
  t.equal(
    seen[0],
    `POST ${target} HTTP/1.1\r\n${host}\r\nconnection: keep-alive\r\nx-B: 1\r\nACCEPT: */*\r\nx-B: \xe9\r\ncontent-length: 2\r\n\r\n{}`,
  );
  await recordFlight(upstream, { method: 'GET', body: null }).done;
  t.equal(seen[1], `GET / HTTP/1.1\r\n${host}\r\nconnection: keep-alive\r\n\r\n`);
  await recordFlight(upstream, { body: null }).done;
  t.match(seen[2], /\r\ncontent-length: 0\r\n\r\n$/, 'a POST without a body has a length of 0');
  await recordFlight(upstream, { host: 'client.example', contentLength: 99 }).done;
  t.match(seen[3], /\r\nhost: client\.example\r\n.*\r\ncontent-length: 2\r\n\r\n\{\}$/s, 'bytes have their own length');
  await recordFlight(upstream, { body: Readable.from([Buffer.from('ab'), Buffer.from('c')]), contentLength: 3 }).done;
  t.match(seen[4], /\r\ncontent-length: 3\r\n\r\nabc$/, 'a stream keeps its declared length');
  await recordFlight(upstream, { body: Readable.from([Buffer.from('ab'), Buffer.from('c')]) }).done;
  t.match(seen[5], /\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n$/, 'or goes in chunks');
  t.equal(backend.sockets.length, 1, 'all on one connection');
});

void t.test(
  'a body where none is usual is the last of its connection: a backend may take it for a request',
  async (t) => {
    const seen: string[] = [];
    const backend = await rawBackend(t, (socket) => {
      onRequest(socket, (request) => {
        seen.push(request);
        socket.write(request.startsWith('HEAD') ? 'HTTP/1.1 204 No Content\r\n\r\n' : OK);
      });
    });
    const upstream = upstreamTo(t, backend.url, { maxConnections: 1 });
    const bodies = [Buffer.from('{}'), Buffer.alloc(0), () => Readable.from([Buffer.from('ab')])];
    for (const body of bodies)
      for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS'])
        await recordFlight(upstream, { method, body: typeof body === 'function' ? body() : body }).done;
    t.equal(backend.sockets.length, seen.length, 'each on one of its own');
    t.equal(seen.filter((request) => /\r\nconnection: close\r\n/i.test(request)).length, seen.length);
    await recordFlight(upstream, { method: 'GET', body: null }).done;
    await recordFlight(upstream, { method: 'GET', body: null }).done;
    t.equal(backend.sockets.length, seen.length - 1);
  },
);

void t.test('an answer comes through as it is', async (t) => {
  const backend = await answering(
    t,
    'HTTP/1.1 207 Fine Thing\r\nSet-Cookie: a\r\nx-UP: \xe9\r\nSet-Cookie: b\r\nTransfer-Encoding: chunked\r\n\r\n' +
      '2;ext=1\r\nhi\r\n0\r\nRepr-Digest: x\r\n\r\n',
  );
  const answer = await recordFlight(upstreamTo(t, backend.url)).done;
  t.match(answer, { ended: 'end', endings: 1, status: 207, statusText: 'Fine Thing', body: 'hi' });
  t.same(answer.headers, ['Set-Cookie', 'a', 'x-UP', '\xe9', 'Set-Cookie', 'b', 'Transfer-Encoding', 'chunked']);
  t.same(answer.trailers, ['Repr-Digest', 'x']);
});

void t.test('answers that can be read in two ways are malformed, and their connection is not used again', async (t) => {
  const sized = 'Content-Length: 2\r\n\r\nhi';
  const chunks = '\r\n\r\n2\r\nhi\r\n0\r\n\r\n';
  const answers: Record<string, string> = {
    'equal lengths twice': `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${sized}`,
    'different lengths': `HTTP/1.1 200 OK\r\nContent-Length: 3\r\n${sized}`,
    'a list of lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nhi',
    'a signed length': 'HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi',
    'a hexadecimal length': 'HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nhi',
    'length, then coding': `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked${chunks}`,
    'coding, then length': `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2${chunks}`,
    'another coding before chunked': `HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked${chunks}`,
    identity: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nhi',
    'chunked twice': `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked${chunks}`,
    'a coding spelt with a control character': `HTTP/1.1 200 OK\r\nTransfer-Encoding: \x0bchunked${chunks}`,
    'a space in a name': `HTTP/1.1 200 OK\r\nBad Name: 1\r\n${sized}`,
    'a space before the colon': `HTTP/1.1 200 OK\r\nName : 1\r\n${sized}`,
    'NUL in a value': `HTTP/1.1 200 OK\r\nName: a\0b\r\n${sized}`,
    'a bare CR in a value': `HTTP/1.1 200 OK\r\nName: a\rSet-Cookie: x\r\n${sized}`,
    'bare LF': 'HTTP/1.1 200 OK\nContent-Length: 2\n\nhi',
    'a folded line': `HTTP/1.1 200 OK\r\nName: a\r\n b\r\n${sized}`,
    'a chunk size that overflows': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nhi',
    'a chunk size that is none': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nhi\r\n0\r\n\r\n',
    'an unasked upgrade': 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
    'a 101 without Upgrade': `HTTP/1.1 101 Switching Protocols\r\n\r\n${OK}`,
    'a status below 100': `HTTP/1.1 099 Odd\r\n${sized}`,
    'no HTTP at all': 'SSH-2.0-OpenSSH_9.6\r\n',
    'interim responses without end': 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n'.repeat(200),
    'headers without end': `HTTP/1.1 200 OK\r\n${'X: aaaaaaaaaaaaaa\r\n'.repeat(20_000)}`,
    'one header without end': `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(200_000)}`,
  };
  for (const [name, bytes] of Object.entries(answers)) {
    const backend = await rawBackend(t, (socket, index) => {
      onRequest(socket, () => socket.write(Buffer.from(index === 0 ? bytes : OK, 'latin1')));
    });
    const upstream = upstreamTo(t, backend.url, { maxConnections: 1 });
    const answer = await recordFlight(upstream).done;
    t.match(answer, { ended: 'malformed', endings: 1, failure: { code: 'upstream_unreachable' } }, name);
    t.match(await recordFlight(upstream).done, { ended: 'end', body: 'hi' }, `${name}: the next request`);
    t.equal(backend.sockets.length, 2, `${name}: on a new connection`);
  }
});

void t.test('bytes after an answer are never taken for the answer to another request', async (t) => {
  const backend = await rawBackend(t, (socket, index) => {
    onRequest(socket, () => socket.write(index === 0 ? `${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil` : OK));
  });
  const upstream = upstreamTo(t, backend.url, { maxConnections: 1 });
  t.match(await recordFlight(upstream).done, { ended: 'end', body: 'hi' });
  t.match(await recordFlight(upstream).done, { ended: 'end', body: 'hi' });
  t.equal(backend.sockets.length, 2);
});

void t.test('some interim responses, an offered upgrade and odd statuses are no fault', async (t) => {
  const answers: Record<string, string> = {
    'interim responses': 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(20) + OK,
    'an offered upgrade': 'HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhi',
    'no reason phrase': 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi',
    'Chunked with a capital': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n',
  };
  for (const [name, bytes] of Object.entries(answers)) {
    const backend = await answering(t, bytes);
    t.match(await recordFlight(upstreamTo(t, backend.url)).done, { ended: 'end', status: 200, body: 'hi' }, name);
  }
});

void t.test('answers without content end with their headers', async (t) => {
  const cases = [
    { method: 'HEAD', bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n', headers: ['Content-Length', '20'] },
    {
      method: 'HEAD',
      bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
      headers: ['Transfer-Encoding', 'chunked'],
    },
    {
      method: 'GET',
      bytes: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 20\r\nETag: "a"\r\n\r\n',
      headers: ['Content-Length', '20', 'ETag', '"a"'],
    },
    { method: 'POST', bytes: 'HTTP/1.1 204 No Content\r\nContent-Length: 20\r\nA: b\r\n\r\n', headers: ['A', 'b'] },
    { method: 'POST', bytes: 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n', headers: [] },
    {
      method: 'POST',
      bytes: 'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n',
      headers: ['Content-Length', '0'],
    },
  ];
  for (const { method, bytes, headers } of cases) {
    const backend = await answering(t, bytes);
    const answer = await recordFlight(upstreamTo(t, backend.url), { method, body: null }).done;
    t.match(answer, { ended: 'end', endings: 1, body: '' }, `${method} ${bytes}`);
    t.same(answer.headers, headers);
  }
});

void t.test('an answer that breaks off is truncated, however it is framed and however it breaks', async (t) => {
  const partial: Record<string, string> = {
    'with a length': 'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nabc',
    'with a length, closing': 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 20\r\n\r\nabc',
    'in chunks': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc',
    'in whole chunks, closing':
      'HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
    'in chunks, without the last line': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n',
  };
  for (const [name, bytes] of Object.entries(partial)) {
    for (const then of ['end', 'reset'] as const) {
      const backend = await answering(t, bytes, then);
      const answer = await recordFlight(upstreamTo(t, backend.url)).done;
      t.match(answer, { ended: 'truncated', endings: 1 }, `${name}, ${then}`);
    }
  }
});

void t.test('an answer that ends with the connection is whole on FIN and truncated on RST', async (t) => {
  const bytes = 'HTTP/1.1 200 OK\r\n\r\nabc';
  const whole = await answering(t, bytes, 'end');
  t.match(await recordFlight(upstreamTo(t, whole.url)).done, { ended: 'end', body: 'abc' });
  const broken = await rawBackend(t, (socket) => onRequest(socket, () => socket.write(bytes)));
  const upstream = upstreamTo(t, broken.url);
  const ending = new Promise<string>((resolve) => {
    dispatch(
      upstream,
      { method: 'GET', target: '/', headers: [], host: upstream.host, body: null, contentLength: null, holder: '' },
      {
        onResponse: () => {},
        onData: () => {
          broken.sockets[0]?.resetAndDestroy();
          return true;
        },
        onEnd: () => resolve('end'),
        onFailure: ({ kind }) => resolve(kind),
      },
    );
  });
  t.equal(await ending, 'truncated');
});

void t.test('a backend that closes or resets without an answer gets no second try', async (t) => {
  for (const then of ['end', 'reset'] as const) {
    for (const method of ['POST', 'GET', 'PUT']) {
      const requests: string[] = [];
      const backend = await rawBackend(t, (socket) => {
        onRequest(socket, (request) => {
          requests.push(request);
          if (then === 'end') socket.end();
          else socket.resetAndDestroy();
        });
      });
      const upstream = upstreamTo(t, backend.url);
      const body = method === 'GET' ? null : Buffer.from('{}');
      t.match(await recordFlight(upstream, { method, body }).done, { ended: 'reset', endings: 1 }, `${method} ${then}`);
      await upstream.close();
      t.equal(requests.length, 1, `${method} ${then}: sent once`);
    }
  }
});

void t.test('a reused connection that is reset gets no second try either', async (t) => {
  let requests = 0;
  const backend = await rawBackend(t, (socket) => {
    onRequest(socket, () => {
      requests += 1;
      if (requests === 1) socket.write(OK);
      else socket.resetAndDestroy();
    });
  });
  const upstream = upstreamTo(t, backend.url, { maxConnections: 1 });
  t.match(await recordFlight(upstream).done, { ended: 'end' });
  t.match(await recordFlight(upstream).done, { ended: 'reset' });
  await upstream.close();
  t.equal(requests, 2);
  t.equal(backend.sockets.length, 1);
});

void t.test('nobody listening is a failed connection', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const answer = await recordFlight(upstreamTo(t, `http://127.0.0.1:${port}`)).done;
  t.match(answer, { ended: 'connect', endings: 1, failure: { code: 'upstream_unreachable' } });
  const nameless = upstreamTo(t, 'http://postern.invalid');
  t.match(await recordFlight(nameless).done, { ended: 'connect' });
});

void t.test('silence is a timeout: before the headers, and within the body', async (t) => {
  const silent = await rawBackend(t, () => {});
  const late = await recordFlight(upstreamTo(t, silent.url, { timeoutSeconds: 0.05 })).done;
  t.match(late, { ended: 'header_timeout', failure: { code: 'upstream_timeout' } });
  const stuck = await answering(t, 'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nabc');
  const idle = await recordFlight(upstreamTo(t, stuck.url, { idleTimeoutSeconds: 0.05 })).done;
  t.match(idle, { ended: 'idle_timeout', status: 200, body: 'abc' });
});

void t.test('giving up closes the connection and tells the sink, once', async (t) => {
  const silent = await rawBackend(t, () => {});
  const upstream = upstreamTo(t, silent.url);
  const { flight, done } = recordFlight(upstream, { method: 'GET', body: null });
  while (silent.sockets.length === 0) await new Promise(setImmediate);
  const [socket] = silent.sockets;
  const received = new Promise((resolve) => socket?.once('data', resolve));
  await received;
  const closed = new Promise((resolve) => socket?.once('close', resolve));
  flight.abort();
  flight.abort();
  t.match(await done, { ended: 'aborted', endings: 1 });
  await closed;
  await upstream.close();
  t.equal(silent.sockets.length, 1, 'and no other is opened for it');
});

void t.test('giving up before there is a connection sends nothing', async (t) => {
  const requests: string[] = [];
  const backend = await rawBackend(t, (socket) => {
    onRequest(socket, (request) => {
      requests.push(request);
      socket.write(OK);
    });
  });
  const upstream = upstreamTo(t, backend.url);
  const { flight, done } = recordFlight(upstream, { target: '/given-up' });
  flight.abort();
  t.match(await done, { ended: 'aborted', endings: 1 });
  t.match(await recordFlight(upstream, { target: '/next' }).done, { ended: 'end' });
  t.equal(requests.length, 1);
  t.match(requests[0], /^POST \/next /);
});

void t.test('over maxConnections requests wait; too many are turned away; who waits can give up', async (t) => {
  const held: (() => void)[] = [];
  const backend = await rawBackend(t, (socket) => onRequest(socket, () => held.push(() => socket.write(OK))));
  const upstream = upstreamTo(t, backend.url, { maxConnections: 1 });
  const first = recordFlight(upstream);
  const waiting = Array.from({ length: 8 }, () => recordFlight(upstream));
  t.match(await recordFlight(upstream).done, { ended: 'overloaded', failure: { code: 'overloaded' } });
  waiting[3]?.flight.abort();
  t.match(await waiting[3]?.done, { ended: 'aborted', endings: 1 });
  for (const { done } of [first, ...waiting.filter((_, i) => i !== 3)]) {
    while (held.length === 0) await new Promise(setImmediate);
    held.shift()?.();
    t.match(await done, { ended: 'end', body: 'hi' });
  }
  t.equal(backend.sockets.length, 1);
});

void t.test('whoever has the share of a key is turned away or waits, and the others go', async (t) => {
  const backend = await rawBackend(t, () => {});
  const upstream = upstreamTo(t, backend.url, { maxConnections: 2, maxConnectionsPerKey: null, timeoutSeconds: 0.05 });
  const flights = Array.from({ length: 10 }, () => recordFlight(upstream, { holder: 'greedy' }));
  const other = recordFlight(upstream, { holder: 'other' });
  t.match(await flights[9]?.done, { ended: 'overloaded', failure: { why: /wait for its key's share .*PerKey/ } });
  t.match(await flights[8]?.done, { ended: /^(overloaded|header_timeout)$/ });
  t.match(await other.done, { ended: 'header_timeout' }, 'it was sent');
  await Promise.all(flights.map(({ done }) => done));
});

void t.test('who waits too long for a connection is turned away', async (t) => {
  const backend = await rawBackend(t, () => {});
  const upstream = upstreamTo(t, backend.url, { maxConnections: 1, timeoutSeconds: 0.05 });
  const first = recordFlight(upstream);
  const second = recordFlight(upstream);
  t.match(await first.done, { ended: 'header_timeout' });
  t.match((await second.done).ended, /^(overloaded|header_timeout)$/);
});

void t.test('a request that cannot be written fails after dispatch has returned', async (t) => {
  const backend = await answering(t, OK);
  const { done, flight } = recordFlight(upstreamTo(t, backend.url), { headers: ['Bad Name', 'x'] });
  const ended = await done;
  t.match(ended, { ended: 'unknown', endings: 1 });
  t.equal(ended.flight, flight);
});

void t.test('interim responses are passed over up to a number, and not one more', async (t) => {
  for (const [count, ended] of [
    [32, 'end'],
    [33, 'malformed'],
  ] as const) {
    const backend = await answering(t, 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(count) + OK);
    t.match(await recordFlight(upstreamTo(t, backend.url)).done, { ended }, `${count} of them`);
  }
});

void t.test('eight requests wait for each connection, the next is turned away, and none waits for ever', async (t) => {
  const backend = await rawBackend(t, (socket) => socket.resume());
  const upstream = upstreamTo(t, backend.url, { maxConnections: 2, timeoutSeconds: 0.3 });
  const flights = Array.from({ length: 2 + 16 + 1 }, () => recordFlight(upstream));
  const last = await flights.at(-1)?.done;
  t.match(last, { ended: 'overloaded', failure: { code: 'overloaded' } }, 'at once: nobody else has ended');
  const others = await Promise.all(flights.slice(0, -1).map(({ done }) => done));
  t.same(
    others.slice(2).filter(({ ended }) => ended !== 'overloaded' && ended !== 'header_timeout'),
    [],
  );
});

void t.test('an answer that only the end of the connection ends is not whole when the upload broke off', async (t) => {
  for (const [head, ended] of [
    ['HTTP/1.1 413 X\r\n\r\n', 'truncated'],
    ['HTTP/1.1 413 X\r\nContent-Length: 4\r\n\r\n', 'end'],
    ['HTTP/1.1 204 X\r\nConnection: close\r\n\r\n', 'end'],
  ] as const) {
    // A piece that no buffer holds: when some of it is read, the rest waits on both sides.
    const piece = Buffer.alloc(16_000_000);
    const backend = await rawBackend(t, (socket) => {
      socket.on('data', () => {
        if (socket.bytesRead < 1000) return;
        socket.pause().write(`${head}${head.includes(' 204 ') ? '' : 'part'}`);
        socket.destroy();
      });
    });
    const answer = await recordFlight(upstreamTo(t, backend.url), { body: Readable.from([piece]) }).done;
    t.match(answer, { ended, endings: 1 }, head);
  }
});

void t.test(
  'a connection on which a body was refused carries no other request: it may not have been read',
  async (t) => {
    for (const [status, connections] of [
      ['413 Too Large', 3],
      ['408 Too Late', 3],
      ['403 No', 1],
    ] as const) {
      const backend = await rawBackend(t, (socket) =>
        onRequest(socket, () => socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`)),
      );
      const upstream = upstreamTo(t, backend.url);
      for (let i = 0; i < 3; i += 1) {
        t.match(await recordFlight(upstream, { method: 'POST', body: Buffer.from('body') }).done, { ended: 'end' });
        await new Promise(setImmediate);
      }
      t.equal(backend.sockets.length, connections, status);
    }
  },
);

void t.test('a connection whose request is not sent when its answer is there carries no other one', async (t) => {
  const backend = await rawBackend(t, (socket) =>
    socket.once('data', () => socket.pause().write('HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\n\r\ntoo large')),
  );
  const upstream = upstreamTo(t, backend.url);
  for (let i = 0; i < 3; i += 1)
    t.match(await recordFlight(upstream, { body: Buffer.alloc(8_000_000) }).done, { ended: 'end', status: 413 });
  t.equal(backend.sockets.length, 3);
});

void t.test(
  'an answer to an upload that the backend did not read is had over TLS, and for a body in memory',
  async (t) => {
    const cert = readFileSync('test/fixtures/upstream-tls/loopback.pem');
    const key = readFileSync('test/fixtures/upstream-tls/loopback-key.pem');
    const trust = tlsTo({ ca: readFileSync('test/fixtures/upstream-tls/ca.pem', 'utf8') });
    for (const secure of [null, { cert, key }]) {
      const refuse = (socket: net.Socket): void => {
        socket.once('data', () => {
          socket.pause().write('HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\n\r\ntoo large');
          setTimeout(() => socket.destroy(), 5);
        });
      };
      const backend = await rawBackend(t, refuse, secure);
      const upstream = upstreamTo(t, backend.url, { tls: trust });
      const pieces = (): Readable => Readable.from(Array.from({ length: 300 }, () => Buffer.alloc(65_536)));
      for (let i = 0; i < 8; i += 1)
        for (const body of [Buffer.alloc(8_000_000), pieces()])
          t.match(await recordFlight(upstream, { body }).done, { ended: 'end', status: 413, body: 'too large' });
    }
  },
);

void t.test('what was not sent at all goes again once, on a new connection, unless it was given up', async (t) => {
  const begin = () => {
    const log: string[] = [];
    let user: ConnectionUser | null = null;
    const upstream = {
      limit: { enter: () => 'go', leave: () => log.push('left') },
      send: (_request: unknown, one: ConnectionUser) => void (log.push('sent'), (user = one)),
      sendOnNew: () => void log.push('sent on a new one'),
    };
    const sink = {
      onResponse: () => undefined,
      onData: () => true,
      onEnd: () => void log.push('end'),
      onFailure: ({ kind }: UpstreamFailure) => void log.push(kind),
    };
    const request = { method: 'POST', target: '/', headers: [], body: Buffer.from('{}'), holder: 'k' };
    const flight = dispatch(upstream as unknown as Upstream, request as unknown as UpstreamRequest, sink);
    const broken = (sentNothing: boolean) => user?.onBroken(failureOf('reset', 'gone'), sentNothing);
    const complete = () => user?.onComplete([], true);
    return { log, flight, broken, complete };
  };
  const twice = begin();
  twice.broken(true);
  t.same(twice.log, ['sent', 'sent on a new one']);
  twice.broken(true);
  t.same(twice.log.slice(2), ['left', 'reset']);
  const begun = begin();
  begun.broken(false);
  t.same(begun.log, ['sent', 'left', 'reset']);
  const given = begin();
  given.flight.abort();
  given.broken(true);
  t.same(given.log, ['sent', 'aborted', 'left']);
  const answered = begin();
  answered.complete();
  answered.broken(false);
  answered.broken(true);
  answered.flight.abort();
  answered.complete();
  t.same(answered.log, ['sent', 'left', 'end'], 'what is answered whole neither fails nor ends again');
});
