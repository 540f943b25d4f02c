import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http, { type Server } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import { peerOf } from '../../src/data-port/socket-record.ts';
import { acceptProxyProtocol, type ProxyProtocol } from '../../src/data-port/proxy-protocol.ts';
import { v2Header } from '../support/proxy-header.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const V1 = 'PROXY TCP4 203.0.113.7 198.51.100.1 56324 443\r\n';

interface Proxied {
  readonly port: number;
  readonly refused: string[];
  readonly protocol: ProxyProtocol;
  readonly server: Server | https.Server;
}

const serve: http.RequestListener = (req, res) => {
  let body = '';
  req.on('data', (chunk: Buffer) => (body += chunk.toString()));
  req.on('end', () => res.end(`${peerOf(req.socket).text} ${body}`));
};

/** A server that answers with the peer it sees and the body it got. */
async function proxied(t: Test, { trusted = true, timeout = 10_000, secure = false } = {}): Promise<Proxied> {
  const server = secure
    ? https.createServer(
        { key: readFileSync('test/fixtures/tls/key.pem'), cert: readFileSync('test/fixtures/tls/cert.pem') },
        serve,
      )
    : http.createServer(serve);
  const refused: string[] = [];
  const protocol = acceptProxyProtocol(server, {
    isTrusted: ({ address, isUnix }) => trusted && (address !== null || isUnix),
    headerTimeout: timeout,
    onRefused: (peer, why) => refused.push(`${peer}: ${why}`),
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    protocol.closePending();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, refused, protocol, server };
}

/** Sends the packets one by one and gives everything that comes back until the end. */
async function talk(client: Socket, packets: readonly (string | Buffer)[]): Promise<string> {
  let text = '';
  client.setNoDelay(true);
  client.on('error', () => {});
  client.on('data', (data: Buffer) => (text += data.toString('latin1')));
  const closed = new Promise((resolve) => client.on('close', resolve));
  for (const packet of packets) {
    await new Promise((resolve) => client.write(packet, resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await closed;
  return text;
}

const connect = (port: number): Socket => net.connect(port, '127.0.0.1');

void t.test('a connection that is over before its header came is not kept in mind', async (t) => {
  const { port, protocol, server } = await proxied(t);
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = connect(port);
  const [socket] = await accepted;
  const closed = once(socket, 'close');
  client.destroy();
  await closed;
  let touched = 0;
  socket.destroy = () => (touched++, socket);
  protocol.closePending();
  t.equal(touched, 0);
});

void t.test('the peer is who the header says', async (t) => {
  const { port } = await proxied(t);
  t.match(await talk(connect(port), [V1 + REQUEST]), /\r\n\r\n203\.0\.113\.7 /, 'header and request in one packet');
  t.match(await talk(connect(port), [V1, REQUEST]), /\r\n\r\n203\.0\.113\.7 /, 'in two');
  t.match(await talk(connect(port), (V1 + REQUEST).split('')), /\r\n\r\n203\.0\.113\.7 /, 'byte by byte');
  const v2 = v2Header(0x21, 0x11, [192, 0, 2, 9, 1, 1, 1, 1, 0, 1, 0, 2, 0x04, 0, 1, 0]);
  t.match(await talk(connect(port), [Buffer.concat([v2, Buffer.from(REQUEST)])]), /\r\n\r\n192\.0\.2\.9 /, 'version 2');
  const v6 = v2Header(0x21, 0x21, [0x20, 1, 0x0d, 0xb8, ...Array<number>(32).fill(0)]);
  t.match(await talk(connect(port), [v6, REQUEST]), /\r\n\r\n2001:db8:: /, 'IPv6 in its canonical form');
  t.match(
    await talk(connect(port), [V1.replaceAll(/TCP4 \S+ \S+/g, 'TCP6 ::ffff:192.0.2.9 ::1') + REQUEST]),
    /\r\n\r\n192\.0\.2\.9 /,
    'a mapped address is the IPv4 address',
  );
});

void t.test('a body that follows arrives whole', async (t) => {
  const { port } = await proxied(t);
  const body = 'x'.repeat(300_000);
  const head = `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`;
  const text = await talk(connect(port), [V1 + head + body.slice(0, 10), body.slice(10)]);
  t.equal(text.split('\r\n\r\n')[1], `203.0.113.7 ${body}`);
});

/** Headers that tell of a connection, and of no address that it comes from. */
const ADDRESSLESS: readonly (readonly [string, Buffer])[] = [
  ['version 1 UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n')],
  ['version 1 UNKNOWN with addresses', Buffer.from('PROXY UNKNOWN 203.0.113.7 198.51.100.1 1 2\r\n')],
  ['version 2 UNSPEC', v2Header(0x21, 0x00, [])],
  ['version 2 UNSPEC with an address', v2Header(0x21, 0x00, [203, 0, 113, 7, 1, 1, 1, 1, 0, 1, 0, 2])],
  ['version 2 UNIX', v2Header(0x21, 0x31, Array<number>(216).fill(0))],
];

void t.test('LOCAL is the proxy itself', async (t) => {
  const { port } = await proxied(t);
  t.match(await talk(connect(port), [v2Header(0x20, 0, []), REQUEST]), /\r\n\r\n127\.0\.0\.1 /);
});

void t.test('a client whose address is not told is unknown, and not the proxy', async (t) => {
  const { port } = await proxied(t);
  for (const [name, header] of ADDRESSLESS)
    t.match(await talk(connect(port), [header, REQUEST]), /\r\n\r\nunknown /, name);
});

void t.test('a trusted peer without a header is disconnected', async (t) => {
  const { port, refused } = await proxied(t);
  t.equal(await talk(connect(port), [REQUEST]), '');
  t.same(refused, ['127.0.0.1: no PROXY header']);
});

void t.test('a header that does not arrive in time ends the connection', async (t) => {
  // Long enough for the first bytes to arrive beside other work.
  const { port, refused } = await proxied(t, { timeout: 1500 });
  t.equal(await talk(connect(port), ['PROXY TCP4 ']), '');
  t.same(refused, ['127.0.0.1: the PROXY header did not arrive in time']);
});

void t.test('a peer that is not trusted cannot name an address', async (t) => {
  const { port } = await proxied(t, { trusted: false });
  t.match(await talk(connect(port), [REQUEST]), /\r\n\r\n127\.0\.0\.1 /);
  t.match(await talk(connect(port), [V1 + REQUEST]), /^HTTP\/1\.1 400 /);
});

void t.test('a second header is a broken request', async (t) => {
  const { port } = await proxied(t);
  t.match(await talk(connect(port), [V1 + V1 + REQUEST]), /^HTTP\/1\.1 400 /);
});

void t.test('the header comes before TLS', async (t) => {
  const { port } = await proxied(t, { secure: true });
  const over = async (packets: readonly (string | Buffer)[]): Promise<string> => {
    const raw = connect(port);
    await once(raw, 'connect');
    for (const packet of packets) raw.write(packet);
    const client = tls.connect({ socket: raw, rejectUnauthorized: false });
    client.on('error', () => {});
    return talk(client, [REQUEST]);
  };
  t.match(await over([V1]), /\r\n\r\n203\.0\.113\.7 /);
  t.match(await over(V1.split('')), /\r\n\r\n203\.0\.113\.7 /);
  for (const [name, header] of ADDRESSLESS) t.match(await over([header]), /\r\n\r\nunknown /, name);
  t.match(await over([v2Header(0x20, 0, [])]), /\r\n\r\n127\.0\.0\.1 /, 'LOCAL');
  t.equal(await over([]), '', 'a trusted peer must send one');
});

void t.test('the header and the first TLS record may share a packet', async (t) => {
  const { port } = await proxied(t, { secure: true });
  const raw = connect(port);
  await once(raw, 'connect');
  raw.cork();
  raw.write(V1);
  const client = tls.connect({ socket: raw, rejectUnauthorized: false });
  setImmediate(() => raw.uncork());
  t.match(await talk(client, [REQUEST]), /\r\n\r\n203\.0\.113\.7 /);
});

void t.test('over TLS, a peer that is not trusted is itself', async (t) => {
  const { port } = await proxied(t, { secure: true, trusted: false });
  const client = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  t.match(await talk(client, [REQUEST]), /\r\n\r\n127\.0\.0\.1 /);
});

void t.test('a waiting connection does not hold up a closing server', async (t) => {
  const { port, protocol, server, refused } = await proxied(t);
  const client = connect(port);
  client.on('error', () => {});
  await once(server, 'connection');
  const closed = once(server, 'close');
  server.close();
  protocol.closePending();
  await closed;
  t.same(refused, []);
  client.destroy();
});

void t.test('a connection that is gone before its peer is known is not read', async (t) => {
  const { server } = await proxied(t);
  const gone = new net.Socket();
  server.emit('connection', gone);
  t.equal(gone.destroyed, true);
});

void t.test('a connection that breaks before its header is whole ends nothing but itself', async (t) => {
  const { port, server, refused } = await proxied(t);
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  for (const bytes of ['', 'PROXY TCP4 ', 'nonsense']) {
    const client = connect(port);
    client.on('error', () => {});
    const [socket] = (await once(server, 'connection')) as [Socket];
    // `once` would listen for errors too.
    const closed = new Promise((resolve) => socket.on('close', resolve));
    if (bytes !== '') {
      client.write(bytes);
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.resetAndDestroy();
    await closed;
    t.ok(socket.destroyed, bytes);
    t.ok(timers() <= before, 'nobody waits for the rest');
  }
  t.match(await talk(connect(port), [V1 + REQUEST]), /\r\n\r\n203\.0\.113\.7 /);
  t.ok(refused.every((why) => why.endsWith('no PROXY header')));
});

void t.test('a connection without a byte is closed in time, and is no refusal', async (t) => {
  const { port, refused } = await proxied(t, { timeout: 20 });
  t.equal(await talk(connect(port), []), '');
  t.same(refused, []);
});

void t.test('once the header is read, nothing of the wait for it is left on the connection', async (t) => {
  const { port, server } = await proxied(t);
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const counts = (socket: Socket): number[] => ['end', 'error', 'close'].map((event) => socket.listenerCount(event));
  const listeners: number[] = [];
  server.on('request', ({ socket }: http.IncomingMessage) => {
    listeners.push(...counts(socket));
    t.ok(timers() <= before);
  });
  await talk(connect(port), [V1 + REQUEST]);
  const bare = http.createServer(serve).listen(0, '127.0.0.1');
  await once(bare, 'listening');
  t.teardown(() => bare.close());
  const bareListeners: number[] = [];
  bare.on('request', ({ socket }: http.IncomingMessage) => bareListeners.push(...counts(socket)));
  await talk(connect((bare.address() as AddressInfo).port), [REQUEST]);
  // One is told of the end of the connection, to forget it.
  t.same(listeners, [bareListeners[0], bareListeners[1], (bareListeners[2] ?? 0) + 1]);
});

void t.test('a connection whose header was read is no waiting one', async (t) => {
  const { port, protocol } = await proxied(t);
  const client = connect(port);
  client.write(`${V1}${REQUEST.replace('close', 'keep-alive')}`);
  await once(client, 'data');
  protocol.closePending();
  t.match(await talk(client, [REQUEST]), /\r\n\r\n203\.0\.113\.7 /);
});
