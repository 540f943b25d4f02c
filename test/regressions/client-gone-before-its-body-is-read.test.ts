import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import t from 'tap';
import { collectBody } from '../../src/data-port/body.ts';

t.test('a body asked for after its client has gone is reported as aborted', async (t) => {
  const server = http.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n{');
  const [req] = (await once(server, 'request')) as [IncomingMessage];
  const gone = once(req, 'close').catch(() => undefined);
  req.on('error', () => undefined);
  socket.resetAndDestroy();
  await gone;
  t.equal(
    await new Promise((resolve) =>
      collectBody(req, { contentLength: 20, maxBytes: 100, hasRoom: () => true }, resolve),
    ),
    'aborted',
    'else a request that waited for its credential counts as under way for ever',
  );
});
