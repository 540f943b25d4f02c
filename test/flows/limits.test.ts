import type { ServerResponse } from 'node:http';
import t from 'tap';
import { codeOf, EVENTS_SECRET, SERVER_SECRET, startFlow, WEB_SECRET, written } from '../support/flow.ts';
import { RawClient } from '../support/upstream.ts';

t.test('a body over maxBodyBytes is 413, declared or streamed, judged or not', async (t) => {
  const { raw, backend, postern } = await startFlow(t, { api: { maxBodyBytes: 1000 } });
  const chunked = (secret: string, size: number) =>
    `${written({ secret, fields: ['Transfer-Encoding: chunked'] }).toString()}${size.toString(16)}\r\n${' '.repeat(size)}\r\n0\r\n\r\n`;
  for (const secret of [SERVER_SECRET, WEB_SECRET, EVENTS_SECRET]) {
    const declared = await raw(written({ secret, body: ' '.repeat(1001) }));
    t.same([declared.status, codeOf(declared)], [413, 'body_too_large']);
    const streamed = await raw(chunked(secret, 1001));
    t.same([streamed.status, codeOf(streamed)], [413, 'body_too_large']);
  }
  t.equal(backend.requests.length, 0);
  t.equal((await raw(written({ body: ' '.repeat(1000) }))).status, 204, 'exactly the limit');
  t.equal((await raw(chunked(SERVER_SECRET, 1000))).status, 204);
  t.equal(
    await postern.metric(
      'postern_rejections_total{api="integration",key="web",reason="body_too_large",mode="enforce"}',
    ),
    2,
  );
});

t.test('a stream that passes the limit on its way is refused, and never ends for the backend', async (t) => {
  const { postern, backend } = await startFlow(t, { api: { maxBodyBytes: 100_000 } });
  const client = new RawClient(t, postern.port);
  client.write(written({ fields: ['Transfer-Encoding: chunked'] }).toString());
  const chunk = `4000\r\n${' '.repeat(0x4000)}\r\n`;
  for (let n = 0; n < 8 && !client.text.includes('413'); n++) client.write(chunk);
  await client.until('body_too_large');
  await client.closed;
  t.equal(client.error, null, 'the answer is not lost to a reset');
  t.equal(backend.requests.length, 0);
});

t.test('the answer to a large refused upload is read before the connection goes', async (t) => {
  const { postern } = await startFlow(t);
  const client = new RawClient(t, postern.port);
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(1_000_000)}`);
  await client.closed;
  t.match(client.text, /^HTTP\/1\.1 401[\s\S]*missing_credential/);
});

t.test('too many or too large header fields are 431', async (t) => {
  const { raw, backend } = await startFlow(t);
  const few = Array.from({ length: 997 }, () => 'a:b');
  t.equal((await raw(written({ fields: few, body: '' }))).status, 204, '1,000 fields');
  for (const fields of [[...few, 'a:b'], [`X: ${'x'.repeat(17_000)}`], [`X: ${'x'.repeat(1_000_000)}`]]) {
    const answer = await raw(written({ fields, body: '' }), { untilClose: true });
    t.same([answer.status, codeOf(answer), answer.closed], [431, 'header_fields_too_large', true]);
  }
  t.equal(backend.requests.length, 1);
});

t.test('more requests than may be under way are 503 overloaded', async (t) => {
  const { raw, postern, backend } = await startFlow(t, {
    listen: { maxRequestsInFlight: 1 },
    respond: (_req, res) => void setTimeout(() => res.writeHead(204).end(), 200),
  });
  const first = backend.next();
  const slow = raw(written({ body: '{}' }));
  await first;
  const answer = await raw(written({ body: '{}' }));
  t.same([answer.status, codeOf(answer)], [503, 'overloaded']);
  t.equal((await slow).status, 204);
  t.equal((await raw(written({ body: '{}' }))).status, 204);
  t.match(postern.lines.at(-1), { reason: 'overloaded' });
});

t.test('what one API may have of the requests under way follows how many APIs there are', async (t) => {
  const held: ServerResponse[] = [];
  const { raw, postern, backend } = await startFlow(t, {
    listen: { maxRequestsInFlight: 20 },
    respond: (req, res) =>
      void (req.headers['postern-key-id'] === 'server' ? held.push(res) : res.writeHead(204).end()),
  });
  const clients = Array.from({ length: 16 }, () => new RawClient(t, postern.port));
  for (const client of clients) {
    const arrived = backend.next();
    client.write(written({ body: '{}' }).toString());
    await arrived;
  }
  const send = async () => codeOf(await raw(written({ secret: WEB_SECRET, body: '{}' })));
  t.equal(await send(), '', 'a single one may have all');
  const { url } = backend;
  postern.writeConfig({
    listen: { maxRequestsInFlight: 20 },
    apis: { integration: { upstream: url }, orders: { upstream: url, paths: ['/orders'] } },
  });
  await postern.sidecar.reload();
  t.equal(await send(), 'overloaded', 'one of two leaves a part to the other');
  for (const res of held) res.writeHead(204).end();
  for (const client of clients) await client.until('204');
  t.equal(await send(), '');
});
