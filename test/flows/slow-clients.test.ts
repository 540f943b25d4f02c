import t from 'tap';
import { EVENTS_SECRET, SERVER_SECRET, startFlow } from '../support/flow.ts';
import { RawClient } from '../support/upstream.ts';

t.test('what does not arrive in time is 408, and the connection closes', async (t) => {
  const { postern, backend } = await startFlow(t, {
    listen: { headersTimeoutSeconds: 0.3, requestTimeoutSeconds: 0.3 },
  });
  const beginnings: Readonly<Record<string, string>> = {
    'slow headers': 'POST / HTTP/1.1\r\nHost: a\r\n',
    'slow body that streams': `POST / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${SERVER_SECRET}\r\nContent-Length: 10\r\n\r\nx`,
    'slow body that is judged': `POST /event/ingest HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${EVENTS_SECRET}\r\nContent-Length: 10\r\n\r\nx`,
  };
  await Promise.all(
    Object.entries(beginnings).map(async ([name, bytes]) => {
      const client = new RawClient(t, postern.port);
      client.write(bytes);
      await client.closed;
      t.match(client.text, /^HTTP\/1\.1 408 [\s\S]*Connection: close[\s\S]*request_timeout/, name);
    }),
  );
  t.equal(backend.requests.length, 0);
  t.equal(postern.lines.filter(({ reason }) => reason === 'request_timeout').length, 3);
});
