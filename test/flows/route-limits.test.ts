import t from 'tap';
import { startBackend } from '../support/backend.ts';
import { codeOf, SERVER_KEY, written } from '../support/flow.ts';
import { startPostern } from '../support/postern.ts';
import { sendRaw } from '../support/raw-http.ts';

t.test('a route has its own limits, time-outs and backend, and every other path those of the API', async (t) => {
  const backend = await startBackend(t, (req, res) => {
    if (!req.url.includes('silent')) res.writeHead(200, { 'content-length': 3 }).end('api');
  });
  const files = await startBackend(t, (_req, res) => void res.writeHead(200, { 'content-length': 5 }).end('files'));
  const post = (path: string, more: object) => ({ method: 'POST', path, ...more });
  const postern = await startPostern(t, {
    config: {
      apis: {
        integration: {
          upstream: backend.url,
          maxBodyBytes: 10,
          timeoutSeconds: 30,
          routes: [
            post('/uploads', { maxBodyBytes: 1000 }),
            post('/small', { maxBodyBytes: 3 }),
            post('/files/:id', { upstream: files.url, rewrite: '/stored/:id' }),
            post('/silent', { timeoutSeconds: 0.05 }),
          ],
        },
      },
    },
    keys: [
      SERVER_KEY,
      { id: 'limited', type: 'write-only', secret: 'secret-of-the-limited-key', allowedEvents: ['a'] },
    ],
  });
  const send = async (target: string, bytes: number, chunked = false): Promise<string> => {
    const body = 'x'.repeat(bytes);
    const plain = written({ target, body, fields: ['Content-Type: text/plain'] }).toString('latin1');
    const asChunks = plain.replace(
      /Content-Length: \d+\r\n\r\n.*/s,
      `Transfer-Encoding: chunked\r\n\r\n${bytes.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    );
    const answer = await sendRaw(postern.port, chunked ? asChunks : plain);
    return codeOf(answer) || answer.body;
  };
  for (const chunked of [false, true]) {
    t.same([await send('/uploads', 1000, chunked), await send('/uploads', 1001, chunked)], ['api', 'body_too_large']);
    t.same([await send('/small', 3, chunked), await send('/small', 4, chunked)], ['api', 'body_too_large']);
    t.same([await send('/other', 10, chunked), await send('/other', 11, chunked)], ['api', 'body_too_large']);
  }
  t.equal(
    await send('/uplo%C3%A4ds', 11),
    'body_too_large',
    'a spelling that only some take for the route is given nothing',
  );
  t.equal(await send('/files/7', 5), 'files');
  t.equal(files.requests[0]?.url, '/stored/7');
  t.equal(await send('/files/7/8', 5), 'api');
  t.equal(await send('/silent', 1), 'upstream_timeout');
});
