import t from 'tap';
import { SERVER_SECRET, startFlow } from '../support/flow.ts';
import { RawClient } from '../support/upstream.ts';

const head = (secret: string) => `HEAD /profile/u1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${secret}\r\n\r\n`;
const get = head(SERVER_SECRET).replace('HEAD', 'GET');

t.test('HEAD has the headers of GET and no body, whoever answers it', async (t) => {
  const { postern, backend } = await startFlow(t, {
    respond: (_req, res) => void res.writeHead(200, { 'Content-Length': 5, ETag: '"x"' }).end('hello'),
  });
  const client = new RawClient(t, postern.port);
  client.write(head(SERVER_SECRET));
  await client.until('\r\n\r\n');
  t.match(client.text, /^HTTP\/1\.1 200 OK\r\n[\s\S]*Content-Length: 5/);
  client.write(head('no-such-secret-anywhere'));
  await client.until('401');
  client.write(get);
  await client.until('hello');
  t.notMatch(client.text, 'application/problem+json","', 'no document');
  t.equal(client.text.match(/HTTP\/1\.1 401[\s\S]*?\r\n\r\n([\s\S]{8})/)?.[1], 'HTTP/1.1');
  t.same(
    backend.requests.map(({ method }) => method),
    ['HEAD', 'GET'],
  );
});
