import t from 'tap';
import { startBackend } from '../support/backend.ts';
import { startPostern } from '../support/postern.ts';
import { sendRaw } from '../support/raw-http.ts';

const AUTH = 'Authorization: Bearer a-secret-of-the-server';

const answersIn = (text: string): number => text.match(/HTTP\/1\.1 \d/g)?.length ?? 0;

t.test('broken bytes behind a request neither cut off its answer nor bring a second one', async (t) => {
  const backend = await startBackend(t, (_req, res) => void setTimeout(() => res.end('slow'), 50));
  const postern = await startPostern(t, {
    config: { apis: { integration: { upstream: backend.url } } },
    keys: [{ id: 'server', type: 'read-write', secret: 'a-secret-of-the-server' }],
  });
  const slow = await sendRaw(postern.port, `GET /profile/1 HTTP/1.1\r\nHost: a\r\n${AUTH}\r\n\r\n\x00\x01`, {
    untilClose: true,
  });
  t.match(slow, { status: 200, closed: true });
  t.equal(answersIn(slow.text), 1);
  const refused = await sendRaw(
    postern.port,
    `POST /profile HTTP/1.1\r\nHost: a\r\n${AUTH}\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
    { untilClose: true },
  );
  t.match(refused, { status: 400, closed: true });
  t.equal(answersIn(refused.text), 1);
});
