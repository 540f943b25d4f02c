import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import t from 'tap';
import { startMetrics } from '../support/metrics-api.ts';

const ANSWERS: Readonly<Record<string, string>> = {
  'announces trailers that never come':
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
  'has a control character in its reason phrase': 'HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\n{}',
  'has a byte beyond ASCII in its reason phrase': 'HTTP/1.1 200 \xd6K\r\nContent-Length: 2\r\n\r\n{}',
};

for (const [what, bytes] of Object.entries(ANSWERS))
  t.test(`a metric query whose answer ${what} is answered, from the cache too`, async (t) => {
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => socket.write(Buffer.from(bytes, 'latin1')));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { obtainToken, query } = await startMetrics(t, { api: { upstream } });
    const token = await obtainToken();
    for (const status of [/^postern; fwd=miss; stored$/, /^postern; hit; /]) {
      const answer = await query(token);
      t.equal(answer.status, 200);
      t.equal(await answer.text(), '{}');
      t.match(answer.headers.get('cache-status'), status);
    }
  });
