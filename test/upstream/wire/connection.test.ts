import t from 'tap';
import { onRequest, rawBackend, recordFlight, upstreamTo } from '../../support/upstream.ts';

const FINAL = 'HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n'.slice(0, -1);

void t.test('a 100 that nobody asked for is passed over, wherever the packets are cut', async (t) => {
  const answer = `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 C\r\nA: b\r\n\r\n${FINAL}`;
  for (const size of [1, 2, 3, 7, 11, 12, 13, 26, 1_000]) {
    const backend = await rawBackend(t, (socket) => {
      onRequest(socket, () => {
        const bytes = Buffer.from(answer, 'latin1');
        const send = (at: number): void => {
          if (at < bytes.length) socket.write(bytes.subarray(at, at + size), () => setImmediate(send, at + size));
        };
        send(0);
      });
    });
    const upstream = upstreamTo(t, backend.url, { maxConnections: 1 });
    for (const round of ['first', 'reused']) {
      const answer = await recordFlight(upstream).done;
      t.match(
        answer,
        { ended: 'end', status: 200, body: FINAL.slice(FINAL.indexOf('\r\n\r\n') + 4) },
        `${size} ${round}`,
      );
    }
    t.equal(backend.sockets.length, 1, 'on one connection');
  }
});

void t.test('bodies that look like a 100 are not touched', async (t) => {
  const body = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n';
  const backend = await rawBackend(t, (socket) => {
    onRequest(socket, () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
      setImmediate(() => socket.write(body));
    });
  });
  t.match(await recordFlight(upstreamTo(t, backend.url)).done, { ended: 'end', body });
});
