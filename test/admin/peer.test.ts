import type { IncomingMessage } from 'node:http';
import t from 'tap';
import { peerAddress } from '../../src/admin/peer.ts';

t.test('an IPv4 address reads the same on every kind of port', async (t) => {
  const of = (remoteAddress: string | undefined) =>
    peerAddress({ socket: { remoteAddress } } as unknown as IncomingMessage);
  t.equal(of('::ffff:192.0.2.1'), '192.0.2.1');
  t.equal(of('192.0.2.1'), '192.0.2.1');
  t.equal(of('::ffff:0:1'), '::ffff:0:1');
  t.equal(of('2001:db8::1'), '2001:db8::1');
  t.equal(of(undefined), '');
});
