import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import t from 'tap';
import { KEPT } from '../support/backend.ts';
import { EVENTS_KEY, SERVER_KEY, SERVER_SECRET, WEB_KEY } from '../support/flow.ts';
import { startPostern } from '../support/postern.ts';
import { RawClient } from '../support/upstream.ts';
import { type Test } from 'tap';

/** A backend that hands over each request as it arrives. */
async function liveBackend(t: Test, config: Record<string, unknown> = {}) {
  const arrivals: [IncomingMessage, ServerResponse][] = [];
  const waiting: ((arrival: [IncomingMessage, ServerResponse]) => void)[] = [];
  const server = http.createServer(KEPT, (req, res) => {
    const next = waiting.shift();
    if (next === undefined) arrivals.push([req, res]);
    else next([req, res]);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const upstream = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  const postern = await startPostern(t, {
    config: { apis: { integration: { upstream, ...config } } },
    keys: [SERVER_KEY, WEB_KEY, EVENTS_KEY],
  });
  const next = () =>
    new Promise<[IncomingMessage, ServerResponse]>((resolve) => {
      const arrival = arrivals.shift();
      if (arrival === undefined) waiting.push(resolve);
      else resolve(arrival);
    });
  return { postern, next, client: new RawClient(t, postern.port) };
}

const HEAD = `POST /upload HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${SERVER_SECRET}\r\n`;

t.test('the backend has the first chunk before the second is sent, chunked or with a length', async (t) => {
  for (const [framing, first, second] of [
    ['Transfer-Encoding: chunked', '5\r\nfirst\r\n', '6\r\nsecond\r\n0\r\n\r\n'],
    ['Content-Length: 11', 'first', 'second'],
  ] as const) {
    const { client, next } = await liveBackend(t);
    client.write(`${HEAD}${framing}\r\n\r\n${first}`);
    const [req, res] = await next();
    const [chunk] = (await once(req, 'data')) as [Buffer];
    t.equal(chunk.toString(), 'first');
    t.equal(req.headers['transfer-encoding'], framing.startsWith('T') ? 'chunked' : undefined);
    t.equal(req.headers['content-length'], framing.startsWith('T') ? undefined : '11');
    client.write(second);
    const [rest] = (await once(req, 'data')) as [Buffer];
    t.equal(rest.toString(), 'second');
    res.end('done');
    await client.until('done');
  }
});

t.test('the client has the headers before the body, and the first chunk before the second', async (t) => {
  const { client, next } = await liveBackend(t);
  client.write(`${HEAD}Content-Length: 0\r\n\r\n`);
  const [, res] = await next();
  res.writeHead(200, { 'X-Early': 'yes' }).flushHeaders();
  await client.until('X-Early: yes');
  res.write('first');
  await client.until('first');
  t.notMatch(client.text, 'second');
  res.end('second');
  await client.until('second');
  await client.until('0\r\n\r\n');
});

t.test('trailers of the backend reach the client', async (t) => {
  const { client, next } = await liveBackend(t);
  client.write(`${HEAD}Content-Length: 0\r\n\r\n`);
  const [, res] = await next();
  res.writeHead(200, { Trailer: 'X-Sum' });
  res.write('x');
  res.addTrailers({ 'X-Sum': '42' });
  res.end();
  t.match(await client.until('X-Sum: 42\r\n\r\n'), /Trailer: X-Sum/);
});

t.test('a slow client slows the backend down', async (t) => {
  const { client, next } = await liveBackend(t);
  client.socket.pause();
  client.write(`${HEAD}Content-Length: 0\r\n\r\n`);
  const [, res] = await next();
  const chunk = Buffer.alloc(256 * 1024);
  let sent = 0;
  let drained = true;
  while (drained && sent < 200) {
    sent++;
    if (!res.write(chunk)) drained = await Promise.race([once(res, 'drain').then(() => true), stalled()]);
  }
  t.ok(sent < 200, `stopped after ${sent} chunks`);
  client.socket.resume();
  res.end('the end');
  await client.until('the end');
});

t.test('a slow backend slows the client down', async (t) => {
  const { client, next } = await liveBackend(t, { maxBodyBytes: 100_000_000 });
  client.write(`${HEAD}Content-Length: 33554432\r\n\r\n`);
  const chunk = Buffer.alloc(256 * 1024);
  client.socket.write(chunk);
  const [req, res] = await next();
  let sent = 1;
  let drained = true;
  while (drained && sent < 128) {
    sent++;
    if (!client.socket.write(chunk))
      drained = await Promise.race([once(client.socket, 'drain').then(() => true), stalled()]);
  }
  t.ok(sent < 128, `stopped after ${sent} chunks`);
  let received = 0;
  req.on('data', (data: Buffer) => (received += data.length)).on('end', () => res.end('taken'));
  for (; sent < 128; sent++) client.socket.write(chunk);
  await client.until('taken');
  t.equal(received, 33_554_432);
});

/** Nothing tells that nothing happens: long enough for loopback. */
const stalled = (): Promise<false> => new Promise((resolve) => void setTimeout(resolve, 300, false));
