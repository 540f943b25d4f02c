/** Bodies of requests: what has arrived with the header is there at once, what comes later is put together. */
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import t from 'tap';
import { arrivedBody, collectBody, type CollectedBody } from '../../src/data-port/body.ts';
import { atTurnEnd } from '../../src/lib/turn-end.ts';
import { head, received } from '../support/received.ts';
import { RawClient } from '../support/upstream.ts';

/** Collects what is pushed; `ended` as a body ends, else as a client leaves. */
function collect(chunks: readonly string[], maxBytes: number, ended = true): Promise<CollectedBody[]> {
  const stream = new Readable({ read() {} });
  const results: CollectedBody[] = [];
  const framing = { contentLength: null, maxBytes, hasRoom };
  collectBody(stream as IncomingMessage, framing, (body) => void results.push(body));
  setImmediate(() => {
    for (const chunk of chunks) stream.push(chunk);
    if (ended) stream.push(null);
    else setImmediate(() => stream.destroy());
  });
  return new Promise((resolve) => void stream.on('close', () => setImmediate(() => resolve(results))));
}

const hasRoom = (): boolean => true;
const parsed = (): Promise<void> => new Promise(atTurnEnd);
const bodyOf = (req: IncomingMessage, contentLength: number | null, maxBytes = 100): Promise<CollectedBody> =>
  new Promise((resolve) => collectBody(req, { contentLength, maxBytes, hasRoom }, resolve));

t.test('the whole body, once', async (t) => {
  t.same(await collect([], 10), [Buffer.alloc(0)]);
  t.same(await collect(['abc'], 3), [Buffer.from('abc')]);
  const many = Array.from({ length: 10_000 }, (_, n) => String(n));
  t.same(await collect(many, 100_000), [Buffer.from(many.join(''))]);
});

t.test('not more than it may have, and then it is left as it came', async (t) => {
  for (const [pieces, before] of [
    ['1\r\na\r\n3\r\nbcd\r\n', '0\r\n\r\n'],
    ['3\r\nabc\r\n', '1\r\nd\r\n0\r\n\r\n'],
    ['4\r\nabcd\r\n0\r\n\r\n', ''],
  ] as const) {
    const { req, client } = await received(t, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    const collected = bodyOf(req, null, 3);
    await parsed();
    client.write(pieces);
    if (pieces.startsWith('3')) client.write(before);
    t.equal(await collected, 'too_large');
    if (!pieces.startsWith('3')) client.write(before);
    const left: Buffer[] = [];
    for await (const piece of req) left.push(piece as Buffer);
    t.equal(Buffer.concat(left).toString(), 'abcd');
  }
  const { req } = await received(t, `${head(5)}hello`);
  await parsed();
  t.equal(arrivedBody(req, { contentLength: 5, maxBytes: 4 }), 'too_large');
  t.same(req.read(), Buffer.from('hello'));
});

t.test('room is asked for before anything is kept, and where there is none nothing is', async (t) => {
  const collecting = (room: number, chunks: readonly string[]) => {
    const asked: number[] = [];
    const stream = new Readable({ read() {} });
    const collected = new Promise((resolve) => {
      const hasMore = (bytes: number): boolean => (asked.push(bytes), (room -= bytes) >= 0);
      collectBody(stream as IncomingMessage, { contentLength: null, maxBytes: 100, hasRoom: hasMore }, resolve);
    });
    setImmediate(() => chunks.forEach((chunk) => stream.push(chunk)));
    return { asked, collected, stream };
  };
  const full = collecting(5, ['abc', 'de', 'f', 'g']);
  t.equal(await full.collected, 'no_room');
  t.same(full.asked, [3, 2, 1]);
  t.equal(full.stream.listenerCount('data'), 0);
  for (const [room, told] of [
    [4, 'no_room'],
    [5, Buffer.from('hello')],
  ] as const) {
    const { req } = await received(t, `${head(5)}hello`);
    const asked: number[] = [];
    const hasMore = (bytes: number): boolean => (asked.push(bytes), bytes <= room);
    const whole = new Promise((resolve) =>
      collectBody(req, { contentLength: 5, maxBytes: 100, hasRoom: hasMore }, resolve),
    );
    t.same([await whole, asked], [told, [5]], 'also of what came with the header');
  }
});

t.test('a client that leaves, before or during', async (t) => {
  t.same(await collect(['abc'], 10, false), ['aborted']);
  const gone = new Readable({ read() {} }).destroy();
  const results: CollectedBody[] = [];
  collectBody(gone as IncomingMessage, { contentLength: 3, maxBytes: 10, hasRoom }, (body) => void results.push(body));
  await parsed();
  t.same(results, ['aborted']);
});

t.test('a body in the packet of its header is there once that is parsed, however it is framed', async (t) => {
  const { req: sized } = await received(t, `${head(5)}hello`);
  await parsed();
  t.same(arrivedBody(sized, { contentLength: 5, maxBytes: 5 }), Buffer.from('hello'));
  await once(sized, 'end');
  const chunks = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n';
  const { req: chunked } = await received(t, chunks);
  await parsed();
  t.same(arrivedBody(chunked, { contentLength: null, maxBytes: 5 }), Buffer.from('hello'));
  await once(chunked, 'end');
  const { req: empty } = await received(t, head(0));
  t.same(await bodyOf(empty, 0), Buffer.alloc(0));
  const { req: large } = await received(t, `${head(5)}hello`);
  t.equal(await bodyOf(large, 5, 4), 'too_large');
});

t.test('of two requests in one packet each has its own body', async (t) => {
  const server = http.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const bodies: CollectedBody[] = [];
  server.on('request', (req, res) => {
    collectBody(req, { contentLength: 5, maxBytes: 5, hasRoom }, (body) => {
      bodies.push(body);
      res.end(bodies.length === 2 ? 'both' : '');
    });
  });
  const client = new RawClient(t, (server.address() as AddressInfo).port);
  client.write(`${head(5)}hello${head(5)}again`);
  await client.until('both');
  t.same(bodies, [Buffer.from('hello'), Buffer.from('again')]);
  client.socket.end();
});

t.test('a body that is not all there is left where it is', async (t) => {
  const { req, client } = await received(t, `${head(10)}hello`);
  await parsed();
  t.equal(arrivedBody(req, { contentLength: 10, maxBytes: 10 }), null);
  const whole = bodyOf(req, 10);
  client.write('world');
  t.same(await whole, Buffer.from('helloworld'));
});

t.test('whoever has the body leaves no listener on its request', async (t) => {
  const events = ['data', 'end', 'close', 'error'];
  for (const leave of [false, true]) {
    const { req, client } = await received(t, `${head(10)}hello`);
    const before = events.map((event) => req.listenerCount(event));
    const whole = bodyOf(req, 10);
    await parsed();
    await parsed();
    t.ok(events.some((event, n) => req.listenerCount(event) > (before[n] ?? 0)));
    if (leave) client.socket.destroy();
    else client.write('world');
    t.same(await whole, leave ? 'aborted' : Buffer.from('helloworld'));
    t.same(
      events.map((event) => req.listenerCount(event)),
      before,
    );
  }
});

t.test('a body of nothing that came whole is nothing, and not missing', async (t) => {
  for (const [text, contentLength] of [
    [head(0), 0],
    ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', null],
  ] as const) {
    const { req } = await received(t, text);
    await parsed();
    t.same(arrivedBody(req, { contentLength, maxBytes: 10 }), Buffer.alloc(0));
  }
});
