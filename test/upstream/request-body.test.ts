import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { type BodyStream, requestBody } from '../../src/upstream/request-body.ts';
import { RawClient } from '../support/upstream.ts';

/** A request as a server gets it, and the client that sent `bytes`. */
async function received(t: Test, bytes: string): Promise<{ req: IncomingMessage; client: RawClient }> {
  const server = http.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const client = new RawClient(t, (server.address() as AddressInfo).port);
  const request = once(server, 'request') as Promise<[IncomingMessage]>;
  client.write(bytes);
  const [req] = await request;
  return { req, client };
}

const unexpected = (): never => {
  throw new Error('not too large');
};

const head = (length: number): string => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;

/** Resolves once the server has read the whole message. */
const whole = async (req: IncomingMessage): Promise<void> => {
  while (!req.complete) await new Promise(setImmediate);
};

void t.test('a body that is all there is its bytes, however it was framed', async (t) => {
  const sized = (await received(t, `${head(5)}hello`)).req;
  await whole(sized);
  const input = { contentLength: 5, maxBytes: 5, onTooLarge: unexpected };
  t.match(requestBody({ req: sized, ...input }), { kind: 'whole', bytes: Buffer.from('hello') });
  await once(sized, 'end');
  const chunks = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n';
  const chunked = (await received(t, chunks)).req;
  await whole(chunked);
  t.match(requestBody({ req: chunked, ...input, contentLength: null }), { kind: 'whole', bytes: Buffer.from('hello') });
  await once(chunked, 'end');
  const empty = (await received(t, head(0))).req;
  t.same(requestBody({ req: empty, ...input, contentLength: 0 }), { kind: 'whole', bytes: null });
  await once(empty, 'end');
});

void t.test('a tick after the headers, the body of the same packet is whole', async (t) => {
  const server = http.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const body = new Promise((resolve) => {
    server.on('request', (req, res) => {
      process.nextTick(() => {
        resolve(requestBody({ req, contentLength: 5, maxBytes: 5, onTooLarge: unexpected }));
        req.once('end', () => res.end());
      });
    });
  });
  const client = new RawClient(t, (server.address() as AddressInfo).port);
  client.write(`${head(5)}hello${head(5)}again`);
  t.match(await body, { kind: 'whole', bytes: Buffer.from('hello') });
  await client.until('\r\n\r\n');
  client.socket.end();
});

void t.test('a whole body over the limit is too large', async (t) => {
  const { req } = await received(t, `${head(5)}hello`);
  await whole(req);
  t.same(requestBody({ req, contentLength: 5, maxBytes: 4, onTooLarge: unexpected }), { kind: 'too_large' });
});

void t.test(
  'a body still under way is a stream of what comes, and destroying it leaves the request alone',
  async (t) => {
    const { req, client } = await received(t, `${head(10)}hello`);
    const body = requestBody({ req, contentLength: 10, maxBytes: 10, onTooLarge: unexpected });
    if (body.kind !== 'stream') throw new Error(body.kind);
    const { stream } = body;
    t.same(((await once(stream, 'data')) as Buffer[])[0], Buffer.from('hello'));
    client.write('world');
    t.same(((await once(stream, 'data')) as Buffer[])[0], Buffer.from('world'));
    await once(stream, 'end');

    const second = await received(t, `${head(10)}hello`);
    const input = { contentLength: 10, maxBytes: 10, onTooLarge: unexpected };
    const broken = requestBody({ req: second.req, ...input }) as { stream: BodyStream };
    await once(broken.stream, 'data');
    broken.stream.on('error', () => {}).destroy(new Error('upstream failed'));
    if (!broken.stream.closed) await new Promise((resolve) => broken.stream.once('close', resolve));
    t.notOk(second.req.destroyed);
    t.notOk(second.req.socket.destroyed);
  },
);

void t.test('a stream tells once when it passes the limit, and hands on nothing beyond it', async (t) => {
  const { req, client } = await received(t, `${head(1_000)}hello`);
  let told = 0;
  const tooLarge = new Promise<void>((resolve) => {
    const onTooLarge = (): void => {
      told += 1;
      resolve();
    };
    const { stream } = requestBody({ req, contentLength: 1_000, maxBytes: 8, onTooLarge }) as { stream: BodyStream };
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      t.ok(bytes <= 8);
    });
    stream.once('data', () => client.write('abcd'));
  });
  await tooLarge;
  client.write('efgh');
  await once(req, 'data');
  t.equal(told, 1);
});
