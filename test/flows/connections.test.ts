import t from 'tap';
import { codeOf, EVENTS_SECRET, SERVER_SECRET, startFlow, WEB_SECRET, written } from '../support/flow.ts';
import { RawClient } from '../support/upstream.ts';

const statuses = (text: string): string[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status as string);

t.test('a refusal that leaves body bytes unread closes, so that they are never read as a request', async (t) => {
  const { postern, backend } = await startFlow(t);
  const smuggled = written({ target: '/smuggled', body: '{}' }).toString();
  const client = new RawClient(t, postern.port);
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${smuggled.length + 10}\r\n\r\n`);
  await client.until('missing_credential');
  client.write(smuggled);
  await client.closed;
  t.same(statuses(client.text), ['401']);
  t.match(client.text, /Connection: close/);
  t.equal(backend.requests.length, 0);
});

t.test('a refusal whose body has arrived keeps the connection', async (t) => {
  const { postern, backend } = await startFlow(t);
  const client = new RawClient(t, postern.port);
  client.write(written({ secret: null, body: '{}' }).toString());
  await client.until('missing_credential');
  client.write(written({ body: '{"n":1}' }).toString());
  await client.until('HTTP/1.1 204');
  t.equal(backend.requests[0]?.body.toString(), '{"n":1}');
});

t.test('pipelined requests are answered in order, each by its own key', async (t) => {
  const { postern, backend } = await startFlow(t, {
    respond: ({ url }, res) => void setTimeout(() => res.writeHead(200).end(url), url === '/1' ? 50 : 0),
  });
  const client = new RawClient(t, postern.port);
  const requests = [
    written({ target: '/1', body: '{}' }),
    written({ target: '/2', method: 'DELETE', secret: WEB_SECRET }),
    written({ target: '/event/ingest', secret: EVENTS_SECRET, body: '{"name":"view"}' }),
    written({ target: '/4', secret: null }),
    written({ target: '/5', method: 'GET' }),
  ];
  client.write(Buffer.concat(requests).toString());
  await client.until('/5');
  t.same(statuses(client.text), ['200', '403', '200', '401', '200']);
  t.same(backend.requests.map(({ url, headers }) => `${url} ${String(headers['postern-key-id'])}`).toSorted(), [
    '/1 server',
    '/5 server',
    '/event/ingest events',
  ]);
});

t.test('a whole request is answered, whatever garbage follows it', async (t) => {
  const { postern, backend } = await startFlow(t, {
    respond: (_req, res) => void setTimeout(() => res.writeHead(200).end('answer'), 50),
  });
  const client = new RawClient(t, postern.port);
  client.write(`${written({ body: '{}' }).toString()}GARBAGE\r\n\r\n`);
  await client.closed;
  t.same(statuses(client.text), ['200']);
  t.match(client.text, /Connection: close[\s\S]*answer/);
  t.equal(backend.requests.length, 1);
  t.match(postern.lines.at(-1), { reason: 'not_implemented', status: 501 });
});

t.test('nothing behind the last answer is taken for a request', async (t) => {
  const { postern, backend } = await startFlow(t);
  const client = new RawClient(t, postern.port);
  client.write(`TRACE / HTTP/1.1\r\nHost: a\r\n\r\n${written({ body: '{}' }).toString().repeat(20)}`);
  await client.closed;
  t.same(statuses(client.text), ['405']);
  t.equal(client.error, null, 'closed, not reset');
  t.equal(backend.requests.length, 0);
});

t.test('HTTP/1.0 without keep-alive is answered and closed', async (t) => {
  const { raw } = await startFlow(t, { respond: (_req, res) => void res.writeHead(200).end('streamed') });
  const bytes = `GET / HTTP/1.0\r\nHost: a\r\nAuthorization: Bearer ${SERVER_SECRET}\r\n\r\n`;
  const answer = await raw(bytes, { untilClose: true });
  t.match(answer, { status: 200, body: 'streamed', closed: true });
  t.equal(codeOf(await raw(bytes.replace('Host: a\r\n', ''), { untilClose: true })), 'malformed_request');
});

t.test('a client that resets its connection, whenever it likes, harms nobody', async (t) => {
  const { postern, raw } = await startFlow(t);
  const beginnings = [
    '',
    'GET',
    'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n',
    written({}).toString(),
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx',
    'junk\r\n\r\n',
    `GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n`,
  ];
  for (const beginning of beginnings)
    for (const answered of [false, true]) {
      const client = new RawClient(t, postern.port);
      client.write(beginning);
      if (answered && beginning.endsWith('\r\n\r\n')) await client.until('HTTP/1.1');
      client.socket.resetAndDestroy();
      await client.closed;
    }
  t.equal((await raw(written({ body: '{}' }))).status, 204);
});
