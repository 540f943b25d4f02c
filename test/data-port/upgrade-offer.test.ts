import type { IncomingMessage, ServerResponse } from 'node:http';
import t, { type Test } from 'tap';
import { recordOf } from '../../src/data-port/socket-record.ts';
import { declineUpgrade } from '../../src/data-port/upgrade-offer.ts';

/** Whether the request is the last of its connection, when it was found in this packet. */
function isLast(t: Test, packet: string | null, bodyLength: number | null): boolean {
  const parser = packet === null ? null : { getCurrentBuffer: () => Buffer.from(packet) };
  const req = { socket: { parser } } as unknown as IncomingMessage;
  const res = { shouldKeepAlive: true } as ServerResponse;
  declineUpgrade(req, res, bodyLength);
  const { hadLast } = recordOf(req.socket);
  t.equal(res.shouldKeepAlive, !hadLast, 'and the client is told so');
  return hadLast;
}

const HEAD = 'GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n';

t.test('a request that offers an upgrade is the last, unless its packet ends with it', (t) => {
  t.equal(isLast(t, HEAD, 0), false);
  t.equal(isLast(t, `${HEAD}hello`, 5), false);
  t.equal(isLast(t, '\r\n', 0), false, 'the end of its head came alone');
  t.equal(isLast(t, '\n', 0), false);
  t.equal(isLast(t, `${HEAD}G`, 0), true);
  t.equal(isLast(t, `${HEAD}${HEAD}`, 0), true);
  t.equal(isLast(t, `${HEAD}helloG`, 5), true);
  t.equal(isLast(t, `${HEAD}hell`, 5), true, 'what follows will be in the packet of its end');
  t.equal(isLast(t, `${HEAD}0\r\n\r\n`, null), true, 'nobody knows where it ends');
  t.equal(isLast(t, '\nGET', 0), true);
  t.equal(isLast(t, '\n', 5), true);
  t.equal(isLast(t, null, 0), true, 'nor what there is');
  t.end();
});
