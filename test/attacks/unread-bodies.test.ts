/** Bodies that a backend does not read, since it expects none with their method: what is in them must not become a request. */
import t, { type Test } from 'tap';
import { startFlow, written } from '../support/flow.ts';
import { rawBackend } from '../support/upstream.ts';

const HIDDEN = 'DELETE /hidden HTTP/1.1\r\nHost: a\r\n\r\n';
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

/** Reads each head, as many servers do, and the content of the usual methods alone. */
async function startNarrowBackend(t: Test) {
  const seen: string[] = [];
  const backend = await rawBackend(t, (socket) => {
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, end + 2);
        const reads = /^(?:POST|PUT|PATCH) /.test(head);
        const length = reads ? Number(/\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1] ?? 0) : 0;
        if (text.length < end + 4 + length) return;
        text = text.slice(end + 4 + length);
        seen.push(head.slice(0, head.indexOf(' HTTP')));
        socket.write(ANSWER);
        if (/\r\nconnection: close\r\n/i.test(head)) return void socket.end();
      }
    });
  });
  return { url: backend.url, seen };
}

void t.test('no request hides in the body of another one, with whatever method and in whatever mode', async (t) => {
  const { url, seen } = await startNarrowBackend(t);
  const { raw } = await startFlow(t, {
    api: { upstream: url, enforcement: 'report', paths: ['/'] },
    apis: { orders: { upstream: url, paths: ['/orders'] } },
  });
  const reported = 'GET HEAD DELETE OPTIONS QUERY PROPFIND REPORT SEARCH LOCK PURGE'.split(' ');
  const requests = [
    ...reported.map((method) => ({ method, target: '/old' })),
    ...['DELETE', 'PUT', 'PATCH', 'POST'].map((method) => ({ method, target: '/orders/1' })),
  ];
  for (const request of requests)
    t.equal((await raw(written({ ...request, body: HIDDEN }))).status, 200, request.method);
  t.strictSame(
    seen,
    requests.map(({ method, target }) => `${method} ${target}`),
  );
});
