/** Slow: a connection has to rest for seconds before it is left. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { createUpstream } from '../../src/upstream/pool.ts';
import { startNameServer } from '../support/dns.ts';
import { onRequest, type RawBackend, rawBackend, recordFlight, upstreamTo } from '../support/upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';
const CA_FILE = 'test/fixtures/upstream-tls/ca.pem';
const VERIFIED = { caFile: CA_FILE, insecureSkipVerify: false, serverName: null };

interface SecureBackend extends RawBackend {
  /** The SNI of each connection; false when there was none. */
  readonly names: (string | false)[];
  readonly requests: string[];
}

async function secureBackend(t: Test, certificate: 'loopback' | 'backend'): Promise<SecureBackend> {
  const names: (string | false)[] = [];
  const requests: string[] = [];
  const backend = await rawBackend(
    t,
    (socket) => {
      names.push((socket as TLSSocket).servername || false);
      onRequest(socket, (request) => {
        requests.push(request);
        socket.write(OK);
      });
    },
    {
      cert: readFileSync(`test/fixtures/upstream-tls/${certificate}.pem`),
      key: readFileSync(`test/fixtures/upstream-tls/${certificate}-key.pem`),
    },
  );
  return { ...backend, names, requests };
}

void t.test('a certificate that nobody vouches for is refused, and nothing is sent', async (t) => {
  const backend = await secureBackend(t, 'loopback');
  const answer = await recordFlight(upstreamTo(t, backend.url)).done;
  t.match(answer, { ended: 'tls', endings: 1, failure: { code: 'upstream_unreachable' } });
  t.same(backend.requests, []);
});

void t.test('the CA of caFile is trusted, for the names in the certificate', async (t) => {
  const loopback = await secureBackend(t, 'loopback');
  t.match(await recordFlight(upstreamTo(t, loopback.url, { tls: VERIFIED })).done, { ended: 'end', body: 'hi' });
  t.same(loopback.names, [false], 'an address is not sent as a server name');
  const named = loopback.url.replace('127.0.0.1', 'localhost');
  t.match(await recordFlight(upstreamTo(t, named, { tls: VERIFIED })).done, { ended: 'end' });
  t.same(loopback.names, [false, 'localhost']);
  const backend = await secureBackend(t, 'backend');
  t.match(await recordFlight(upstreamTo(t, backend.url, { tls: VERIFIED })).done, { ended: 'tls' });
  t.same(backend.requests, []);
});

void t.test('serverName is asked for and expected in place of the host', async (t) => {
  const backend = await secureBackend(t, 'backend');
  const right = { ...VERIFIED, serverName: 'backend.internal' };
  t.match(await recordFlight(upstreamTo(t, backend.url, { tls: right })).done, { ended: 'end', body: 'hi' });
  t.same(backend.names, ['backend.internal']);
  const wrong = { ...VERIFIED, serverName: 'other.internal' };
  t.match(await recordFlight(upstreamTo(t, backend.url, { tls: wrong })).done, { ended: 'tls' });
});

void t.test('insecureSkipVerify takes any certificate', async (t) => {
  const backend = await secureBackend(t, 'backend');
  const tls = { caFile: null, insecureSkipVerify: true, serverName: null };
  t.match(await recordFlight(upstreamTo(t, backend.url, { tls })).done, { ended: 'end', body: 'hi' });
});

void t.test(
  'the Host that the client chose changes neither whom the connection goes to nor whom it trusts',
  async (t) => {
    const backend = await secureBackend(t, 'backend');
    const tls = { ...VERIFIED, serverName: 'backend.internal' };
    const upstream = upstreamTo(t, backend.url, { tls, preserveHost: true, maxConnections: 1 });
    for (const host of ['evil.example', 'other.example', 'backend.internal'])
      t.match(await recordFlight(upstream, { host }).done, { ended: 'end' }, host);
    t.same(backend.names, ['backend.internal'], 'one connection, one name');
    t.match(backend.requests[0], /\r\nhost: evil\.example\r\n/);
  },
);

void t.test('plain text spoken to a TLS port, and TLS to a plain one, are failures', async (t) => {
  const secure = await secureBackend(t, 'loopback');
  const plain = secure.url.replace('https', 'http');
  t.match(await recordFlight(upstreamTo(t, plain)).done, { ended: /^(reset|malformed)$/ });
  const babble = await rawBackend(t, (socket) => socket.end(OK));
  t.match(await recordFlight(upstreamTo(t, babble.url.replace('http', 'https'))).done, { ended: 'tls' });
});

void t.test('an upstream is an origin and nothing else; its CA file must be there', (t) => {
  const tls = { caFile: null, insecureSkipVerify: false, serverName: null };
  const settings = {
    connectTimeoutSeconds: 1,
    timeoutSeconds: 1,
    idleTimeoutSeconds: 1,
    maxConnections: 1,
    maxConnectionsPerKey: 1,
  };
  const make = (url: string, caFile: string | null = null) =>
    createUpstream({ ...settings, url, preserveHost: false, tls: { ...tls, caFile } });
  for (const url of ['ftp://a', 'http://a/base', 'http://a/?q', 'http://u@a', 'http://u:p@a', 'http://a/#f', 'a', ''])
    t.throws(() => make(url), { name: 'TypeError' }, url);
  t.throws(() => make('https://a', 'test/fixtures/no-such-file.pem'), { code: 'ENOENT' });
  t.equal(make('http://a.example').idleTimeoutMs, 1000, 'seconds in milliseconds');
  t.match(make('http://A.example:80'), { origin: 'http://a.example', host: 'a.example' });
  t.match(make('https://[::1]:8443/'), { origin: 'https://[::1]:8443', host: '[::1]:8443' });
  t.end();
});

void t.test('closing waits for what is under way, fails nothing, and leaves no connection', async (t) => {
  const held: (() => void)[] = [];
  const backend = await rawBackend(t, (socket) => onRequest(socket, () => held.push(() => socket.write(OK))));
  const upstream = upstreamTo(t, backend.url, { maxConnections: 2 });
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

void t.test('a final dot belongs to the lookup alone: neither Host nor SNI nor the certificate has it', async (t) => {
  const requests: string[] = [];
  const names = await startNameServer(t, (_name, family) => (family === 'A' ? ['127.0.0.1'] : []));
  names.writeResolver('nameserver 127.0.0.1\nsearch wrong.test\noptions ndots:5\n');
  const plain = await rawBackend(t, (socket) =>
    onRequest(socket, (request) => {
      requests.push(request);
      socket.write(OK);
    }),
  );
  const upstream = upstreamTo(t, `http://svc.ns.svc.cluster.local.:${plain.port}`, {}, names);
  t.match(await recordFlight(upstream).done, { ended: 'end' });
  t.equal(upstream.host, `svc.ns.svc.cluster.local:${plain.port}`);
  t.match(requests[0], new RegExp(`\\r\\nhost: svc\\.ns\\.svc\\.cluster\\.local:${plain.port}\\r\\n`, 'i'));
  t.same([...new Set(names.questions)], ['A svc.ns.svc.cluster.local', 'AAAA svc.ns.svc.cluster.local']);
  const secure = await secureBackend(t, 'backend');
  names.writeHosts('127.0.0.1 backend.internal\n');
  const dotted = secure.url.replace('127.0.0.1', 'backend.internal.');
  t.match(await recordFlight(upstreamTo(t, dotted, { tls: VERIFIED }, names)).done, { ended: 'end', body: 'hi' });
  t.same(secure.names, ['backend.internal']);
});

void t.test('a TLS handshake that does not end is bounded by the time to connect', async (t) => {
  const mute = await rawBackend(t, (socket) => void socket.resume());
  const upstream = upstreamTo(t, mute.url.replace('http', 'https'), { connectTimeoutSeconds: 0.1 });
  t.match(await recordFlight(upstream).done, { ended: 'connect_timeout' });
});

void t.test('no time-out comes before its time', async (t) => {
  const mute = await rawBackend(t, (socket) => void socket.resume());
  const upstream = upstreamTo(t, mute.url, { timeoutSeconds: 1.4, maxConnections: 16, maxConnectionsPerKey: 16 });
  const waits = Array.from({ length: 10 }, async (_, i) => {
    // From every point of the half second in which undici counts.
    await new Promise((resolve) => setTimeout(resolve, i * 50));
    const startedAt = performance.now();
    t.match(await recordFlight(upstream).done, { ended: 'header_timeout' });
    return performance.now() - startedAt;
  });
  t.ok(Math.min(...(await Promise.all(waits))) >= 1390);
});

/** Who closes a connection that rests: the backend does after `ownMs`. Whoever is first decides, so nothing is measured. */
async function whoCloses(t: Test, answer: string, ownMs: number): Promise<'postern' | 'backend'> {
  let first: 'postern' | 'backend' = 'postern';
  const backend = await rawBackend(t, (socket) => {
    const own = setTimeout(() => {
      first = 'backend';
      socket.end();
    }, ownMs);
    socket.once('close', () => clearTimeout(own));
    onRequest(socket, () => socket.write(answer));
  });
  t.match(await recordFlight(upstreamTo(t, backend.url)).done, { ended: 'end' });
  await once(backend.sockets[0] as Socket, 'close');
  return first;
}

void t.test('a connection that rests is left before a backend closes it', async (t) => {
  // Five seconds is the limit of Node, Apache and Uvicorn. Three of each: a busy machine may be late with one.
  const five = [1, 2, 3].map(() => whoCloses(t, OK, 5_000));
  const announced = [1, 2, 3].map(() =>
    whoCloses(t, OK.replace('Content-Length', 'Keep-Alive: timeout=2\r\nContent-Length'), 2_000),
  );
  t.ok((await Promise.all(five)).includes('postern'), 'the shortest usual limit');
  t.ok((await Promise.all(announced)).includes('postern'), 'one that the backend announces');
});
