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

/** Far beyond the limits here, and below the next longer time that Node or Postern knows: who is first decides. */
const LATE_MS = 20_000;

t.test('what is too slow ends soon after its limit, and what was refused is not read for ever', async (t) => {
  const { postern } = await startFlow(t, { listen: { headersTimeoutSeconds: 1, requestTimeoutSeconds: 1 } });
  const late = new Promise<'late'>((resolve) => void setTimeout(resolve, LATE_MS, 'late').unref());
  const slow = new RawClient(t, postern.port);
  slow.write('POST / HTTP/1.1\r\nHost: a\r\n');
  t.equal(await Promise.race([slow.closed, late]), undefined, 'a request that never ends');
  // It reads the answer and the end, and goes on to send.
  const stubborn = new RawClient(t, postern.port, { allowHalfOpen: true });
  stubborn.write('GET / HTTP/1.2\r\nHost: a\r\n\r\n');
  await stubborn.until('version_not_supported');
  const sending = setInterval(() => stubborn.socket.writable && stubborn.write('x'), 50);
  t.teardown(() => clearInterval(sending));
  t.equal(await Promise.race([stubborn.closed, late]), undefined, 'a client that does not close');
});
