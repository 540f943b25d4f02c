import { EventEmitter } from 'node:events';
import net, { type Server, type Socket } from 'node:net';
import t from 'tap';
import {
  addressOf,
  connectionUnder,
  markUnixPeers,
  peerOf,
  recordOf,
  setPeer,
} from '../../src/data-port/socket-record.ts';
import { parseAddress } from '../../src/lib/address.ts';
import { compileAddressSet, parseCidr } from '../../src/lib/cidr.ts';

const socket = (remoteAddress?: string): Socket => ({ remoteAddress }) as Socket;

t.test('a peer is read once, in its canonical spelling', async (t) => {
  for (const [remote, text] of [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0::1', '2001:db8::1'],
  ] as const) {
    const one = socket(remote);
    t.equal(peerOf(one).text, text);
    t.not(peerOf(one).address, null);
    t.equal(peerOf(one), peerOf(one));
  }
});

t.test('a connection that is gone, or text that is no address, is unknown', async (t) => {
  t.same(peerOf(socket()), { text: 'unknown', address: null, isUnix: false });
  const one = socket('192.0.2.1');
  setPeer(one, 'unknown');
  t.same(peerOf(one), { text: 'unknown', address: null, isUnix: false });
});

t.test('the zone that a link-local peer was met in is no part of its address', async (t) => {
  for (const remote of ['fe80::1%eth0', 'fe80::1%3', 'FE80:0::1%en0'])
    t.same(peerOf(socket(remote)), { text: 'fe80::1', address: parseAddress('fe80::1'), isUnix: false }, remote);
  const linkLocal = compileAddressSet([parseCidr('fe80::/10')].flatMap((cidr) => (cidr.ok ? [cidr.value] : [])));
  t.ok(linkLocal.has(peerOf(socket('fe80::1%eth0')).address));
  const named = socket('192.0.2.1');
  setPeer(named, 'fe80::1%eth0');
  t.equal(peerOf(named).address, null, 'what somebody writes has no zone');
});

t.test('what was set holds for the life of the socket', async (t) => {
  const one = socket('192.0.2.1');
  setPeer(one, '203.0.113.7');
  t.equal(peerOf(one).text, '203.0.113.7');
});

t.test('peers on a Unix socket have no address, unless something else was said of them', async (t) => {
  const server = new EventEmitter();
  const seen: unknown[] = [];
  server.on('connection', (one: Socket) => seen.push(peerOf(one)));
  markUnixPeers(server as unknown as Server);
  const unix = { text: 'unknown', address: null, isUnix: true };
  server.emit('connection', socket());
  t.same(seen, [unix], 'whoever listens longer finds it');
  const secure = socket();
  server.emit('secureConnection', secure);
  t.same(peerOf(secure), unix);
  const told = socket();
  setPeer(told, '203.0.113.7');
  server.emit('secureConnection', told);
  t.equal(peerOf(told).text, '203.0.113.7');
});

t.test('of a new connection nothing is known, and its record is one for its life', async (t) => {
  const one = socket('192.0.2.1');
  t.same(recordOf(one), { peer: null, proxyHeaderLength: 0, closing: false, hadLast: false });
  t.equal(recordOf(one), recordOf(one));
  t.not(recordOf(one), recordOf(socket()));
});

t.test('the connection under TLS is one of the network, or unknown', async (t) => {
  const under = new net.Socket();
  t.equal(connectionUnder({ _parent: under } as never), under);
  t.equal(connectionUnder({ _parent: {} } as never), null);
  t.equal(connectionUnder({} as never), null);
  t.equal(addressOf(socket()), null);
  t.equal(addressOf(socket('192.0.2.1')), parseAddress('192.0.2.1'));
});
