import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import type { TLSSocket, TlsOptions } from 'node:tls';
import t, { type Test } from 'tap';
import { startNameServer } from '../support/dns.ts';
import {
  onRequest,
  type RawBackend,
  rawBackend,
  recordFlight,
  socketBackend,
  tlsTo,
  upstreamTo,
} from '../support/upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';

const fixture = (name: string): string => readFileSync(`test/fixtures/upstream-tls/${name}.pem`, 'utf8');
const VERIFIED = tlsTo({ ca: fixture('ca') });

interface SecureBackend extends RawBackend {
  /** The SNI of each connection; false when there was none. */
  readonly names: (string | false)[];
  readonly requests: string[];
}

async function secureBackend(
  t: Test,
  certificate: 'loopback' | 'backend',
  demands: TlsOptions = {},
): Promise<SecureBackend> {
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
    { cert: fixture(certificate), key: fixture(`${certificate}-key`), ...demands },
  );
  return { ...backend, names, requests };
}

void t.test('a connection is asked by the system whether the backend is still there, and delays nothing', async (t) => {
  const { setKeepAlive, setNoDelay } = Socket.prototype;
  t.teardown(() => Object.assign(Socket.prototype, { setKeepAlive, setNoDelay }));
  const told: unknown[] = [];
  Object.assign(Socket.prototype, {
    setKeepAlive(this: Socket, ...args: [boolean, number]) {
      told.push(['keep alive', ...args]);
      return setKeepAlive.apply(this, args);
    },
    setNoDelay(this: Socket, ...args: [boolean]) {
      told.push(['no delay', ...args]);
      return setNoDelay.apply(this, args);
    },
  });
  const backend = await rawBackend(t, (socket) => onRequest(socket, () => socket.write(OK)));
  t.match(await recordFlight(upstreamTo(t, backend.url)).done, { ended: 'end' });
  t.same(told, [
    ['no delay', true],
    ['keep alive', true, 60_000],
  ]);
});

void t.test('a certificate that nobody vouches for is refused, and nothing is sent', async (t) => {
  const backend = await secureBackend(t, 'loopback');
  const answer = await recordFlight(upstreamTo(t, backend.url)).done;
  t.match(answer, { ended: 'tls', endings: 1, failure: { code: 'upstream_unreachable' } });
  t.same(backend.requests, []);
});

void t.test('the CA that is given is trusted, for the names in the certificate', async (t) => {
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
  const tls = tlsTo({ insecureSkipVerify: true });
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

void t.test('Postern shows its certificate to a backend that demands one', async (t) => {
  const demands = { requestCert: true, rejectUnauthorized: true, ca: fixture('client-ca') };
  const backend = await secureBackend(t, 'loopback', demands);
  const own = tlsTo({ ...VERIFIED, cert: fixture('client'), key: fixture('client-key') });
  const upstream = upstreamTo(t, backend.url, { tls: own });
  t.match(await recordFlight(upstream).done, { ended: 'end', body: 'hi' });
  t.equal((backend.sockets[0] as TLSSocket).getPeerCertificate().subject.CN, 'postern');
  // A TLS alert, or, as Node's servers do, nothing but the end of the connection.
  const refused = { ended: /^(tls|reset)$/, failure: { code: 'upstream_unreachable' } };
  t.match(await recordFlight(upstreamTo(t, backend.url, { tls: VERIFIED })).done, refused);
  const stranger = tlsTo({ ...VERIFIED, cert: fixture('backend'), key: fixture('backend-key') });
  t.match(await recordFlight(upstreamTo(t, backend.url, { tls: stranger })).done, refused);
  t.equal(backend.requests.length, 1, 'the others sent nothing that it read');
});

void t.test('a certificate and a key that do not belong together are found when the upstream is made', (t) => {
  const pair = tlsTo({ cert: fixture('client'), key: fixture('backend-key') });
  t.throws(() => upstreamTo(t, 'https://a', { tls: pair }), { code: 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' });
  t.throws(() => upstreamTo(t, 'https://a', { tls: tlsTo({ cert: 'none', key: 'none' }) }));
  t.end();
});

void t.test(
  'a backend behind a Unix socket is asked over it, and one that is not there is told by its path',
  async (t) => {
    const requests: string[] = [];
    const backend = await socketBackend(t, (socket) =>
      onRequest(socket, (request) => {
        requests.push(request);
        socket.write(OK);
      }),
    );
    const upstream = upstreamTo(t, backend.url);
    t.match(await recordFlight(upstream).done, { ended: 'end', body: 'hi' });
    t.match(requests[0], /\r\nhost: localhost\r\n/);
    t.match(await recordFlight(upstream, { host: 'client.example' }).done, { ended: 'end' });
    t.match(requests[1], /\r\nhost: client\.example\r\n/i);
    const absent = await recordFlight(upstreamTo(t, `${backend.url}.absent`)).done;
    t.match(absent, {
      ended: 'connect',
      failure: { code: 'upstream_unreachable', why: `connect ENOENT ${backend.path}.absent` },
    });
  },
);
