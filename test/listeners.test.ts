import type { Server } from 'node:http';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import t from 'tap';
import tls from 'node:tls';
import { readFileSync } from 'node:fs';
import type { Certificates } from '../src/certificates.ts';
import type { TlsTexts } from '../src/lib/certificate.ts';
import { closeInTime, makeDataPort, openConnections, openPort, readProxyHeaders } from '../src/listeners.ts';
import type { Log } from '../src/observability/log.ts';
import { configFrom } from './support/passages.ts';
import { keyOf, tlsFixture } from './support/tls-files.ts';

const failing = (code: string) => Promise.reject(Object.assign(new Error(`listen ${code}`), { code }));

t.test('a port that cannot be opened: the field, what to do, and the value', async (t) => {
  const at = { host: '127.0.0.1', port: 80 };
  for (const [code, said] of [
    ['EADDRINUSE', /^admin\.port cannot be used \(EADDRINUSE\): .* stop it or choose another port: 127\.0\.0\.1:80$/],
    ['EACCES', /^admin\.port cannot be used \(EACCES\): .* a port from 1024 on.*: 127\.0\.0\.1:80$/],
    ['EADDRNOTAVAIL', /^admin\.host cannot be used \(EADDRNOTAVAIL\): .*no such address.*: "127\.0\.0\.1"$/],
    ['ENOTFOUND', /^admin\.host cannot be used/],
    ['EAFNOSUPPORT', /^admin\.host cannot be used/],
    ['ENOTSUP', /^admin\.port cannot be used .*listen\.reusePort: false/],
  ] as const)
    await t.rejects(
      openPort('admin', at, () => failing(code)),
      { message: said },
    );
});

t.test('what is no fault of a host or port is told as it is', async (t) => {
  await t.rejects(
    openPort('listen', { host: '::', port: 1 }, () => failing('EMFILE')),
    { message: 'listen EMFILE' },
  );
  await t.rejects(
    openPort('listen', { host: null, port: null }, () => failing('EACCES')),
    { message: 'listen EACCES' },
  );
  await t.rejects(
    openPort('listen', { host: '::', port: 1 }, () => Promise.reject(new Error('ended'))),
    {
      message: 'ended',
    },
  );
  t.same(await openPort('listen', { host: '::', port: 1, more: 1 }, async (at) => at), { host: '::', port: 1 });
});

t.test('connections are counted as they are', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  t.equal(await openConnections(server), 0);
  const accepted = once(server, 'connection') as Promise<[net.Socket]>;
  const client = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = await accepted;
  t.equal(await openConnections(server), 1);
  client.destroy();
  socket.destroy();
});

t.test('a shutdown cuts connections after the grace, and waits no longer for what hangs', async (t) => {
  const cut: number[] = [];
  const server = { closeAllConnections: () => cut.push(1) } as unknown as Server;
  const left: number[] = [];
  const closing = (closeAll: (leftMs: () => number) => Promise<void>) => ({ graceMs: 0, monotonic: () => 5, closeAll });
  const quick = closing(async (leftMs) => void left.push(leftMs()));
  t.same([await closeInTime(server, quick), cut, left], [true, [], [500]]);
  t.equal(
    await closeInTime(
      server,
      closing(() => new Promise(() => {})),
    ),
    false,
  );
  t.same(cut, [1]);
});

const CONFIG = configFrom('config/postern.yaml').listen;
const LOG = { info: () => {}, warn: () => {}, error: () => {} } as unknown as Log;

/** Certificates of which one place asks. */
function certificatesOf() {
  const texts: TlsTexts = {
    ca: null,
    cert: readFileSync(tlsFixture('cert'), 'utf8'),
    key: readFileSync(keyOf('cert'), 'utf8'),
  };
  const asked: string[] = [];
  const followed: string[] = [];
  const certificates = {
    of: (place: string) => (asked.push(place), texts),
    follow: (place: string) => void followed.push(place),
  } as unknown as Certificates;
  return { certificates, asked, followed };
}

t.test('the data port speaks TLS where it is said, with the certificate in use, and follows it', async (t) => {
  const { certificates, asked, followed } = certificatesOf();
  const plain = makeDataPort({ ...CONFIG, tls: null }, certificates, LOG);
  t.notOk(plain.server instanceof tls.Server);
  t.same([asked, followed], [[], ['listen']]);
  const named = { certFile: 'cert.pem', keyFile: 'key.pem', clientCaFile: null };
  const secure = makeDataPort({ ...CONFIG, tls: named }, certificates, LOG);
  t.ok(secure.server instanceof tls.Server);
  t.same(asked, ['listen']);
  t.equal(secure.server.listenerCount('tlsClientError'), plain.server.listenerCount('tlsClientError') + 1, 'of Node');
  const asking = makeDataPort({ ...CONFIG, tls: { ...named, clientCaFile: 'ca.pem' } }, certificates, LOG);
  t.equal(asking.server.listenerCount('tlsClientError'), secure.server.listenerCount('tlsClientError') + 1);
});

t.test('a client without a certificate is logged where one is asked for', async (t) => {
  const { certificates } = certificatesOf();
  const lines: unknown[] = [];
  const log = { ...LOG, warn: (...line: unknown[]) => void lines.push(line) } as unknown as Log;
  const named = { certFile: 'cert.pem', keyFile: 'key.pem', clientCaFile: 'ca.pem' };
  const { server } = makeDataPort({ ...CONFIG, tls: named }, certificates, log);
  const error = Object.assign(new Error('none'), { code: 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE' });
  server.emit('tlsClientError', error, { remoteAddress: '192.0.2.1', destroy: () => {} } as unknown as tls.TLSSocket);
  t.same(lines, [['client_certificate_refused', { peer: '192.0.2.1', detail: 'it showed none' }]]);
});

t.test('PROXY headers are read where they are asked for, of trusted peers', async (t) => {
  const lines: unknown[] = [];
  const log = { ...LOG, warn: (...line: unknown[]) => void lines.push(line) } as unknown as Log;
  const listen = { ...CONFIG, path: null, host: '127.0.0.1', port: 0, trustedProxies: ['127.0.0.1'] };
  const { certificates } = certificatesOf();
  const dataPort = makeDataPort({ ...listen, tls: null }, certificates, log);
  t.equal(readProxyHeaders(dataPort, { ...listen, proxyProtocol: false }, log), null);
  const protocol = readProxyHeaders(dataPort, { ...listen, proxyProtocol: true }, log);
  t.not(protocol, null);
  const { port } = (await dataPort.listen()) as AddressInfo;
  t.teardown(() => dataPort.close());
  const client = net.connect(port, '127.0.0.1', () => client.write('GET / HTTP/1.1\r\n\r\n'));
  client.on('error', () => {}).resume();
  await once(client, 'close');
  t.same(lines, [['proxy_header_refused', { peer: '127.0.0.1', detail: 'no PROXY header' }]]);
});
