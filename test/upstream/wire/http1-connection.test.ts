import { EventEmitter, once } from 'node:events';
import { stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import t from 'tap';
import { dispatch } from '../../../src/upstream/dispatch.ts';
import type { ConnectionUser } from '../../../src/upstream/wire/connection.ts';
import { createDeadlines } from '../../../src/upstream/wire/deadlines.ts';
import { Http1Connection } from '../../../src/upstream/wire/http1-connection.ts';
import type { WireRequest } from '../../../src/upstream/wire/request.ts';
import { answering, onRequest, rawBackend, recordFlight, socketBackend, upstreamTo } from '../../support/upstream.ts';

const FINAL = 'HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n'.slice(0, -1);

void t.test('a 100 that nobody asked for is passed over, wherever the packets are cut', async (t) => {
  const answer = `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 C\r\nA: b\r\n\r\n${FINAL}`;
  for (const size of [1, 2, 3, 7, 11, 12, 13, 26, 1_000]) {
    const backend = await rawBackend(t, (socket) => {
      onRequest(socket, () => {
        const bytes = Buffer.from(answer, 'latin1');
        const send = (at: number): void => {
          if (at < bytes.length) socket.write(bytes.subarray(at, at + size), () => setImmediate(send, at + size));
        };
        send(0);
      });
    });
    const upstream = upstreamTo(t, backend.url, { maxConnections: 1 });
    for (const round of ['first', 'reused']) {
      const answer = await recordFlight(upstream).done;
      t.match(
        answer,
        { ended: 'end', status: 200, body: FINAL.slice(FINAL.indexOf('\r\n\r\n') + 4) },
        `${size} ${round}`,
      );
    }
    t.equal(backend.sockets.length, 1, 'on one connection');
  }
});

void t.test('bodies that look like a 100 are not touched', async (t) => {
  const body = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n';
  const backend = await rawBackend(t, (socket) => {
    onRequest(socket, () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
      setImmediate(() => socket.write(body));
    });
  });
  t.match(await recordFlight(upstreamTo(t, backend.url)).done, { ended: 'end', body });
});

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';
const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i += 1) await new Promise(setImmediate);
};

void t.test('a HEAD is the last on its connection: some backend sends content after it', async (t) => {
  const seen: string[] = [];
  const backend = await rawBackend(t, (socket) =>
    onRequest(socket, (request) => {
      seen.push(request);
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n');
      if (request.startsWith('GET')) socket.write('hi');
      // Too late to be seen with the head.
      else setImmediate(() => socket.write('hi'));
    }),
  );
  const upstream = upstreamTo(t, backend.url);
  for (const method of ['HEAD', 'GET', 'HEAD', 'GET'])
    t.match(await recordFlight(upstream, { method, body: null }).done, {
      ended: 'end',
      body: method === 'GET' ? 'hi' : '',
    });
  t.match(seen[0], /\r\nconnection: close\r\n/);
  t.match(seen[1], /\r\nconnection: keep-alive\r\n/);
});

void t.test('where no connection is kept, the backend is told with each request', async (t) => {
  const seen: string[] = [];
  const backend = await rawBackend(t, (socket) =>
    onRequest(socket, (request) => {
      seen.push(request);
      socket.write(OK);
    }),
  );
  const upstream = upstreamTo(t, backend.url, { keepAliveSeconds: 0 });
  for (let i = 0; i < 2; i += 1) t.match(await recordFlight(upstream).done, { ended: 'end', body: 'hi' });
  for (const request of seen) t.match(request, /\r\nconnection: close\r\n/);
  t.equal(backend.sockets.length, 2);
});

void t.test(
  'bytes that nobody asked for end a connection that rests, and a request that was about to use it',
  async (t) => {
    const backend = await socketBackend(t, (socket) => onRequest(socket, () => socket.write(OK)));
    let now = 0;
    const upstream = upstreamTo(t, backend.url, {}, { now: () => now });
    for (const [count, when] of [
      [1, 'while it rests'],
      [2, 'as it is used again'],
    ] as const) {
      t.match(await recordFlight(upstream).done, { ended: 'end' });
      await turns(2);
      await stat('.');
      now += 1_000;
      backend.sockets.at(-1)?.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
      if (count === 1) await turns(3);
      t.match(await recordFlight(upstream).done, { ended: 'end', body: 'hi', endings: 1 }, when);
      await turns(2);
    }
    t.equal(backend.sockets.length, 3);
  },
);

void t.test(
  'a client that is slow with its body is not the backend’s silence; a backend that does not read is',
  async (t) => {
    const backend = await rawBackend(t, (socket) => onRequest(socket, () => socket.write(OK)));
    const upstream = upstreamTo(t, backend.url, { timeoutSeconds: 0.5 });
    const body = new PassThrough();
    const { done } = recordFlight(upstream, { body });
    body.write('a');
    await new Promise((resolve) => setTimeout(resolve, 1200));
    body.end('b');
    t.match(await done, { ended: 'end', body: 'hi' });
    const deaf = await rawBackend(t, (socket) => void socket.pause());
    const endless = new Readable({ read: () => void endless.push(Buffer.alloc(65_536)) });
    const unread = await recordFlight(upstreamTo(t, deaf.url, { timeoutSeconds: 0.1 }), { body: endless }).done;
    t.match(unread, { ended: 'header_timeout', failure: { why: 'no answer within 0.1 s' } });
    t.ok(endless.destroyed);
  },
);

void t.test('an answer that is held back here is not late', async (t) => {
  const backend = await rawBackend(t, (socket) =>
    onRequest(socket, () => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n${'x'.repeat(400_000)}`)),
  );
  const upstream = upstreamTo(t, backend.url, { idleTimeoutSeconds: 0.5 });
  let bytes = 0;
  const ended = await new Promise<string>((resolve) => {
    const flight = dispatch(
      upstream,
      { method: 'GET', target: '/', host: 'a', headers: [], body: null, contentLength: null, holder: '' },
      {
        onResponse: () => undefined,
        onData: (chunk) => {
          if (bytes === 0) setTimeout(() => flight.resume(), 1200);
          bytes += chunk.length;
          return bytes > chunk.length;
        },
        onEnd: () => resolve('end'),
        onFailure: ({ kind }) => resolve(kind),
      },
    );
  });
  t.strictSame([ended, bytes], ['end', 400_000]);
});

void t.test('an answer before the end of an upload ends the upload', async (t) => {
  for (const method of ['GET', 'POST'])
    for (const contentLength of [null, 10]) {
      const backend = await rawBackend(t, (socket) => socket.once('data', () => socket.write(OK)));
      const upstream = upstreamTo(t, backend.url);
      const body = new PassThrough();
      const { done } = recordFlight(upstream, { method, body, contentLength });
      body.write('a');
      t.match(await done, { ended: 'end', body: 'hi' });
      t.ok(body.destroyed);
      // From the next turn on its connection could be used again, in the midst of this body.
      await turns(2);
      t.match(await recordFlight(upstream).done, { ended: 'end' });
      t.equal(backend.sockets.length, 2);
    }
});

void t.test('a body that breaks off breaks the request, and is not sent as if it were whole', async (t) => {
  const seen: string[] = [];
  const backend = await rawBackend(t, (socket) =>
    socket.on('data', (bytes: Buffer) => seen.push(bytes.toString('latin1'))),
  );
  const body = new PassThrough();
  const { done } = recordFlight(upstreamTo(t, backend.url), { body });
  body.write('a');
  while (!seen.join('').endsWith('\r\n\r\n1\r\na\r\n')) await turns(1);
  body.destroy(new Error('gone'));
  t.match(await done, { ended: 'aborted', endings: 1, failure: { why: 'gone' } });
  await once(backend.sockets[0] as Socket, 'close');
  t.notMatch(seen.join(''), /\r\n0\r\n/);
});

void t.test('an answer that whoever takes it cannot take is malformed, and its connection is left', async (t) => {
  const backend = await answering(t, OK);
  const upstream = upstreamTo(t, backend.url);
  const refuse = (): never => {
    throw Object.assign(new Error('no'), { code: 'ERR_INVALID_CHAR' });
  };
  for (const part of ['onResponse', 'onData'] as const) {
    const kind = await new Promise<string>((resolve) => {
      dispatch(
        upstream,
        { method: 'GET', target: '/', host: 'a', headers: [], body: null, contentLength: null, holder: '' },
        {
          onResponse: () => undefined,
          onData: () => true,
          onEnd: () => resolve('end'),
          onFailure: (failure) => resolve(failure.kind),
          [part]: refuse,
        },
      );
    });
    t.equal(kind, 'malformed', part);
  }
  t.equal(backend.sockets.length, 2);
});

void t.test('a connection rests as long as its backend announced, in its latest answer', async (t) => {
  let announced = 'Keep-Alive: timeout=3\r\n';
  const backend = await rawBackend(t, (socket) =>
    onRequest(socket, () => socket.write(OK.replace('Content', `${announced}Content`))),
  );
  let now = 0;
  const upstream = upstreamTo(t, backend.url, { keepAliveSeconds: 10 }, { now: () => now });
  for (const [rested, connections] of [
    [0, 1],
    // Not at the limit itself, where a look at the clock may come first.
    [1_999, 1],
    [2_001, 2],
  ] as const) {
    now += rested;
    t.match(await recordFlight(upstream).done, { ended: 'end' });
    await turns(2);
    t.equal(backend.sockets.length, connections, `after ${rested} ms`);
  }
  announced = '';
  for (const rested of [1_999, 9_999]) {
    now += rested;
    t.match(await recordFlight(upstream).done, { ended: 'end' });
    await turns(2);
  }
  t.equal(backend.sockets.length, 2);
});

void t.test('a connection that comes too late may fail as it is let go', async (t) => {
  let made: (socket: Socket) => void = () => undefined;
  const connection = new Http1Connection({
    connect: () => new Promise<Socket>((resolve) => (made = resolve)),
    deadlines: createDeadlines(() => 0),
    now: () => 0,
    headTimeoutMs: 1000,
    contentTimeoutMs: 1000,
    keepAliveMs: 1000,
    maxAgeMs: 1000,
    onGone: () => undefined,
  });
  connection.send({ method: 'GET', target: '/' } as unknown as WireRequest, { isOver: false } as ConnectionUser);
  connection.close();
  const socket = new EventEmitter();
  const destroyed = new Promise<void>((resolve) =>
    Object.assign(socket, { destroy: () => (socket.emit('error', new Error('late')), resolve()) }),
  );
  made(socket as Socket);
  await t.resolves(destroyed);
  t.ok(connection.isGone);
});
