import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import t from 'tap';
import { startNameServer } from '../support/dns.ts';
import { onRequest, rawBackend, recordFlight, socketBackend, upstreamTo } from '../support/upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';

void t.test('an upstream has its origin and the Host for its backend', (t) => {
  t.equal(upstreamTo(t, 'http://a.example', { idleTimeoutSeconds: 1 }).idleTimeoutMs, 1000, 'seconds in milliseconds');
  t.match(upstreamTo(t, 'http://A.example:80'), { origin: 'http://a.example', host: 'a.example' });
  t.match(upstreamTo(t, 'https://[::1]:8443/'), { origin: 'https://[::1]:8443', host: '[::1]:8443' });
  t.match(upstreamTo(t, 'unix:/run/app.sock'), { origin: 'http://localhost', host: 'localhost' });
  t.end();
});

void t.test('one key has half of the connections, and eight times as many places in the line', (t) => {
  const waiter = { start: () => undefined, expire: () => undefined };
  for (const [maxConnections, maxConnectionsPerKey, share] of [
    [4, null, 2],
    [5, null, 2],
    [1, null, 1],
    [4, 3, 3],
  ] as const) {
    const { limit } = upstreamTo(t, 'http://a.example', { maxConnections, maxConnectionsPerKey });
    const enter = (): string => limit.enter({ ...waiter }, 'web');
    for (let i = 0; i < share; i += 1) t.equal(enter(), 'go');
    for (let i = 0; i < 8 * share; i += 1) t.equal(enter(), 'wait');
    t.equal(enter(), 'share full', `${maxConnections} ${maxConnectionsPerKey}`);
  }
  t.end();
});

void t.test('closing waits for what is under way, fails nothing, and leaves no connection', async (t) => {
  const held: (() => void)[] = [];
  const backend = await rawBackend(t, (socket) => onRequest(socket, () => held.push(() => socket.write(OK))));
  const upstream = upstreamTo(t, backend.url, { maxConnections: 2, keepAliveSeconds: 3600 });
  const arrived = async (): Promise<void> => {
    while (held.length === 0) await new Promise(setImmediate);
  };
  const first = recordFlight(upstream);
  await arrived();
  let closed = false;
  const closing = upstream.close().then(() => (closed = true));
  const late = recordFlight(upstream);
  held.shift()?.();
  t.match(await first.done, { ended: 'end', body: 'hi' });
  await arrived();
  t.notOk(closed, 'one is still under way');
  held.shift()?.();
  t.match(await late.done, { ended: 'end', body: 'hi' });
  await closing;
  const allClosed = async (): Promise<void> => {
    while (backend.sockets.some((socket) => !socket.closed)) await new Promise(setImmediate);
  };
  await allClosed();
  const after = recordFlight(upstream);
  await arrived();
  held.shift()?.();
  t.match(await after.done, { ended: 'end', body: 'hi' }, 'a request that began before the reload is still served');
  await allClosed();
});

void t.test('closing leaves no connection that rests, nor one that is fit for no other request', async (t) => {
  const kept = { keepAliveSeconds: 3600 };
  const backend = await rawBackend(t, (socket) => onRequest(socket, () => socket.write(OK)));
  const upstream = upstreamTo(t, backend.url, kept);
  t.match(await recordFlight(upstream).done, { ended: 'end' });
  await new Promise(setImmediate);
  const [resting] = backend.sockets as [Socket];
  t.notOk(resting.closed);
  const closed = once(resting, 'close');
  await upstream.close();
  await closed;
  const refusing = await rawBackend(t, (socket) =>
    onRequest(socket, () => socket.write(OK.replace('200 OK', '413 No'))),
  );
  t.match(await recordFlight(upstreamTo(t, refusing.url, kept)).done, { ended: 'end', status: 413 });
  await closedBy(refusing.sockets[0] as Socket);
});

const closedBy = async (socket: Socket): Promise<void> => {
  if (!socket.closed) await once(socket, 'close');
};

void t.test('destroying breaks off what is under way', async (t) => {
  const backend = await rawBackend(t, () => {});
  const upstream = upstreamTo(t, backend.url, { maxConnections: 1 });
  const first = recordFlight(upstream);
  const waiting = recordFlight(upstream);
  while (backend.sockets.length === 0) await new Promise(setImmediate);
  upstream.destroy();
  t.match(await first.done, { endings: 1, ended: /^(aborted|reset|connect)$/ });
  t.match(await waiting.done, { endings: 1, ended: 'aborted' });
});

void t.test('each answer gives back the place of its own key', async (t) => {
  const backend = await rawBackend(t, (socket) => onRequest(socket, () => socket.write(OK)));
  const upstream = upstreamTo(t, backend.url, { maxConnections: 4, maxConnectionsPerKey: 1 });
  for (const holder of ['a', 'b', 'b', 'a', 'c', 'a', 'b', 'c'])
    t.match(await recordFlight(upstream, { holder }).done, { ended: 'end', body: 'hi' }, holder);
  const together = ['a', 'b', 'c', 'a', 'b', 'c'].map((holder) => recordFlight(upstream, { holder }).done);
  for (const { ended } of await Promise.all(together)) t.equal(ended, 'end');
});

void t.test('an idle connection is used again', async (t) => {
  const backend = await rawBackend(t, (socket) => onRequest(socket, () => socket.write(OK)));
  const upstream = upstreamTo(t, backend.url);
  for (let i = 0; i < 5; i += 1) {
    t.match(await recordFlight(upstream).done, { ended: 'end' });
    await new Promise(setImmediate);
  }
  t.equal(backend.sockets.length, 1);
});

void t.test('a connection that the backend closes while idle costs no request', async (t) => {
  const backend = await rawBackend(t, (socket) => onRequest(socket, () => socket.end(OK)));
  const upstream = upstreamTo(t, backend.url, { maxConnections: 1 });
  for (let i = 0; i < 5; i += 1) t.match(await recordFlight(upstream).done, { ended: 'end', body: 'hi' });
  t.equal(backend.sockets.length, 5);
});

void t.test('a connection is left at its age: between requests, and after one that is under way', async (t) => {
  const held: (() => void)[] = [];
  const backend = await rawBackend(t, (socket) => onRequest(socket, () => held.push(() => socket.write(OK))));
  const upstream = upstreamTo(t, backend.url, { maxConnections: 1 }, { maxAgeMs: 100 });
  const answered = async (flight: ReturnType<typeof recordFlight>): Promise<void> => {
    while (held.length === 0) await new Promise(setImmediate);
    held.shift()?.();
    t.match(await flight.done, { ended: 'end', body: 'hi' });
  };
  await answered(recordFlight(upstream));
  await once(backend.sockets[0] as Socket, 'close');
  t.equal(backend.sockets.length, 1, 'an idle one is closed');
  const long = recordFlight(upstream);
  while (held.length === 0) await new Promise(setImmediate);
  await new Promise((resolve) => setTimeout(resolve, 150));
  const waiting = recordFlight(upstream);
  await answered(long);
  await once(backend.sockets[1] as Socket, 'close');
  await answered(waiting);
  t.equal(backend.sockets.length, 3, 'one that was busy at its age carries no further request');
});

void t.test(
  'however busy and well, no connection is older than five minutes, and some are a minute younger',
  async (t) => {
    const { random } = Math;
    t.teardown(() => (Math.random = random));
    for (const [chance, oldest] of [
      [0, 300_000],
      [1, 240_000],
    ] as const) {
      Math.random = () => chance;
      const backend = await rawBackend(t, (socket) => onRequest(socket, () => socket.write(OK)));
      let time = 1000;
      const upstream = upstreamTo(t, backend.url, { keepAliveSeconds: 10_000 }, { now: () => time });
      for (const [age, sockets] of [
        [0, 1],
        [oldest - 1, 1],
        [oldest, 2],
      ] as const) {
        time = 1000 + age;
        t.match(await recordFlight(upstream).done, { ended: 'end', body: 'hi' });
        // It may be used again from the next turn on.
        await new Promise(setImmediate);
        t.equal(backend.sockets.length, sockets, `${age} of ${oldest} ms`);
      }
    }
  },
);

void t.test('requests without a pause follow a name to another address, and none is lost', async (t) => {
  const bodies = (text: string) => `HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n${text}`;
  const old = await rawBackend(t, (socket) => onRequest(socket, () => socket.write(bodies('old'))));
  const moved = await rawBackend(t, (socket) => onRequest(socket, () => socket.write(bodies('new'))), null, {
    host: '127.0.0.2',
    port: old.port,
  });
  let address = '127.0.0.1';
  const names = await startNameServer(t, (_name, family) => (family === 'A' ? [address] : []));
  const upstream = upstreamTo(t, `http://backend.test:${old.port}`, { maxConnections: 2 }, { ...names, maxAgeMs: 200 });
  t.match(await recordFlight(upstream).done, { body: 'old' });
  address = '127.0.0.2';
  let latest = 'old';
  while (latest === 'old') {
    const pair = await Promise.all([recordFlight(upstream).done, recordFlight(upstream).done]);
    for (const answer of pair) t.match(answer, { ended: 'end', status: 200 });
    latest = pair[0].body;
  }
  t.equal(latest, 'new');
  t.ok(moved.sockets.length > 0);
});

void t.test('a backend whose name server is silent fails alone, in its own time', async (t) => {
  const backend = await rawBackend(t, (socket) => onRequest(socket, () => socket.end(OK)));
  const silent = await startNameServer(t, () => 'silence');
  const well = await startNameServer(t, (_name, family) => (family === 'A' ? ['127.0.0.1'] : []));
  const stuck = upstreamTo(
    t,
    'http://stuck.test:9',
    { connectTimeoutSeconds: 1, maxConnections: 32, maxConnectionsPerKey: 32 },
    silent,
  );
  const other = upstreamTo(t, `http://backend.test:${backend.port}`, {}, well);
  const failing = Array.from({ length: 32 }, () => recordFlight(stuck).done);
  let failed = false;
  void failing[0]?.then(() => (failed = true));
  for (let i = 0; i < 5; i += 1) t.match(await recordFlight(other).done, { ended: 'end', body: 'hi' });
  t.notOk(failed, 'the others were served meanwhile');
  for (const answer of await Promise.all(failing))
    t.match(answer, {
      ended: 'connect_timeout',
      failure: { code: 'upstream_unreachable', why: /lookup of stuck\.test/ },
    });
});

void t.test('a dead address beside a good one costs no request', async (t) => {
  const backend = await rawBackend(t, (socket) => onRequest(socket, () => socket.end(OK)));
  for (const [four, six] of [
    [['127.0.0.2', '127.0.0.1'], []],
    [['127.0.0.1'], ['2001:db8::1']],
    [['127.0.0.2', '127.0.0.3', '127.0.0.1'], ['::1']],
  ] as const) {
    const names = await startNameServer(t, (_name, family) => (family === 'A' ? four : six));
    const upstream = upstreamTo(t, `http://backend.test:${backend.port}`, {}, names);
    t.match(await recordFlight(upstream).done, { ended: 'end', body: 'hi' }, four.join());
  }
});

void t.test('no time-out comes before its time', async (t) => {
  const mute = await rawBackend(t, (socket) => void socket.resume());
  const upstream = upstreamTo(t, mute.url, { timeoutSeconds: 1.4, maxConnections: 16, maxConnectionsPerKey: 16 });
  const waits = Array.from({ length: 10 }, async (_, i) => {
    // From every point between two looks at the clock.
    await new Promise((resolve) => setTimeout(resolve, i * 50));
    const startedAt = performance.now();
    t.match(await recordFlight(upstream).done, { ended: 'header_timeout' });
    return performance.now() - startedAt;
  });
  t.ok(Math.min(...(await Promise.all(waits))) >= 1390);
});

/** What was given back rests by the end of the turn after this one. */
async function atRest(): Promise<void> {
  for (let turns = 0; turns < 2; turns += 1) await new Promise(setImmediate);
}

/** What follows runs where the events of sockets do: what others send from there on is seen in the next turn at the earliest. */
const amongSockets = () => stat('.');

/** A backend that answers everything, and what it was asked. */
function counting(answer = OK) {
  const requests: string[] = [];
  const accept = (socket: Socket): void =>
    onRequest(socket, (request) => {
      requests.push(request);
      socket.write(answer);
    });
  return { requests, accept };
}

void t.test('an idle connection is used again for keepAliveSeconds, and no longer', async (t) => {
  const { accept } = counting();
  const backend = await rawBackend(t, accept);
  /** How many connections there were, after two requests at once, one at the limit and one past it. */
  const connectionsMade = async (): Promise<readonly number[]> => {
    let now = 0;
    const before = backend.sockets.length;
    const upstream = upstreamTo(t, backend.url, { keepAliveSeconds: 10 }, { now: () => now });
    const made: number[] = [];
    for (const [requests, ms] of [
      [2, 0],
      [1, 10_000],
      [1, 10_001],
    ] as const) {
      await atRest();
      now += ms;
      const answers = await Promise.all(Array.from({ length: requests }, () => recordFlight(upstream).done));
      for (const answer of answers) t.match(answer, { ended: 'end', body: 'hi' });
      made.push(backend.sockets.length - before);
    }
    return made;
  };
  const wanted = '2,2,3';
  let made = await connectionsMade();
  // At its limit the pool's own look at the clock may close a connection first.
  for (let tries = 1; tries < 10 && made.join() !== wanted; tries += 1) made = await connectionsMade();
  t.equal(made.join(), wanted, 'at its limit it is used, past it a new one is');
  const { sockets } = backend;
  await Promise.all(sockets.slice(-3, -1).map((socket) => socket.closed || once(socket, 'close')));
});

void t.test('without keepAliveSeconds each request has a connection of its own', async (t) => {
  const { accept } = counting();
  const backend = await rawBackend(t, accept);
  const upstream = upstreamTo(t, backend.url, { keepAliveSeconds: 0 }, { now: () => 0 });
  for (let i = 0; i < 3; i += 1) {
    t.match(await recordFlight(upstream).done, { ended: 'end', body: 'hi' });
    await atRest();
  }
  t.equal(backend.sockets.length, 3);
});

void t.test('a connection that rests is left by itself, sooner if the backend announces less', async (t) => {
  const { accept } = counting();
  const backend = await rawBackend(t, accept);
  t.match(await recordFlight(upstreamTo(t, backend.url, { keepAliveSeconds: 0.05 })).done, { ended: 'end' });
  await once(backend.sockets[0] as Socket, 'close');
  const announcing = counting(OK.replace('Content-Length', 'Keep-Alive: timeout=1\r\nContent-Length'));
  const short = await rawBackend(t, announcing.accept);
  t.match(await recordFlight(upstreamTo(t, short.url, { keepAliveSeconds: 3600 })).done, { ended: 'end' });
  await once(short.sockets[0] as Socket, 'close');
});

void t.test('a backend that closes what rests loses no request to it, when that can be seen in time', async (t) => {
  const { accept, requests } = counting();
  const backend = await rawBackend(t, accept);
  let now = 0;
  const upstream = upstreamTo(t, backend.url, {}, { now: () => now });
  for (let i = 0; i < 20; i += 1) {
    t.match(await recordFlight(upstream).done, { ended: 'end', body: 'hi' });
    await atRest();
    now += 1_000;
    await amongSockets();
    // Within one turn with the next request: nothing has told Postern.
    backend.sockets.at(-1)?.destroy();
  }
  t.equal(requests.length, 20);
  t.equal(backend.sockets.length, 20);
});

void t.test('what the system took nothing of is sent again, once, on a new connection', async (t) => {
  const { accept, requests } = counting();
  const backend = await socketBackend(t, accept);
  const upstream = upstreamTo(t, backend.url, {}, { now: () => 0 });
  for (const body of [Buffer.from('{"n":1}'), null, Buffer.alloc(10)]) {
    t.match(await recordFlight(upstream, { body }).done, { ended: 'end', body: 'hi', endings: 1 });
    await atRest();
    await amongSockets();
    backend.sockets.at(-1)?.destroy();
  }
  t.match(await recordFlight(upstream).done, { ended: 'end', body: 'hi' });
  t.equal(requests.length, 4, 'each came once');
  t.equal(backend.sockets.length, 4);
});

void t.test(
  'a stream of which nothing was sent is sent again whole, and nothing that may have been read',
  async (t) => {
    const { accept, requests } = counting();
    const backend = await socketBackend(t, accept);
    const upstream = upstreamTo(t, backend.url, {}, { now: () => 0 });
    t.match(await recordFlight(upstream).done, { ended: 'end' });
    await atRest();
    await amongSockets();
    backend.sockets.at(-1)?.destroy();
    const stream = Readable.from([Buffer.from('ab')]);
    t.match(await recordFlight(upstream, { body: stream, contentLength: 2 }).done, { ended: 'end', endings: 1 });
    t.equal(requests.length, 2);
    t.match(requests[1], /\r\ncontent-length: 2\r\n\r\nab$/);

    const rude = await socketBackend(t, (socket) => onRequest(socket, () => socket.destroy()));
    for (const body of [Buffer.from('{}'), Readable.from([Buffer.from('ab')])])
      t.match(await recordFlight(upstreamTo(t, rude.url), { body }).done, { ended: 'reset', endings: 1 });
    t.equal(rude.sockets.length, 2, 'the backend had them: they are not sent again');
  },
);

void t.test('an answer that was there before the request is no answer to it', async (t) => {
  const { accept } = counting();
  const backend = await socketBackend(t, accept);
  const upstream = upstreamTo(t, backend.url, {}, { now: () => 0 });
  t.match(await recordFlight(upstream).done, { status: 200 });
  await atRest();
  await amongSockets();
  // What servers say to a connection that brings no request, before they close it.
  backend.sockets.at(-1)?.end('HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n').destroySoon();
  t.match(await recordFlight(upstream).done, { ended: 'end', status: 200, body: 'hi' });
});
