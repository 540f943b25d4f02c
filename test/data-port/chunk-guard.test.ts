import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http, { type IncomingMessage, type Server } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import tls from 'node:tls';
import * as fc from 'fast-check';
import t, { type Test } from 'tap';
import { guardChunks } from '../../src/data-port/chunk-guard.ts';
import { hidePauses, keepPace } from '../../src/lib/pipelining.ts';
import { collect } from '../support/held-memory.ts';

const CHUNKED = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

interface Seen {
  url: string;
  body: string;
  violation: string | null;
}

/** A server that guards chunked requests and answers with what it read; `seen` holds one entry a request. */
async function guarded(t: Test, server: Server = http.createServer()): Promise<{ port: number; seen: Seen[] }> {
  const seen: Seen[] = [];
  const serve = (req: IncomingMessage, res: http.ServerResponse): void => {
    const one: Seen = { url: req.url ?? '', body: '', violation: null };
    seen.push(one);
    if (req.headers['transfer-encoding'] !== undefined) {
      guardChunks(req, (why) => {
        one.violation = why;
        res.writeHead(400, { connection: 'close' }).end();
      });
    }
    req.on('data', (chunk: Buffer) => (one.body += chunk.toString('latin1')));
    req.on('end', () => res.headersSent || res.end('ok'));
  };
  server.on('request', serve);
  server.on('checkContinue', (req, res: http.ServerResponse) => {
    res.writeContinue();
    serve(req, res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

/** Sends packets one by one, each after the one before was read, and waits for `answers` answers or the end. */
async function talk(client: Socket, packets: readonly string[], answers: number): Promise<string> {
  let text = '';
  client.setNoDelay(true);
  client.on('error', () => {});
  const done = new Promise<void>((resolve) => {
    client.on('close', resolve);
    client.on('data', (data: Buffer) => {
      text += data.toString('latin1');
      if (text.split('HTTP/1.1 ').filter((part) => /^[2-5]/.test(part) && !part.startsWith('100')).length >= answers)
        resolve();
    });
  });
  for (const packet of packets) {
    await new Promise((resolve) => client.write(Buffer.from(packet, 'latin1'), resolve));
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await done;
  client.destroy();
  return text;
}

const connect = (port: number): Socket => net.connect(port, '127.0.0.1');

void t.test('lets a chunked body through, whatever the packets', async (t) => {
  const { port, seen } = await guarded(t);
  const stream = `${CHUNKED}3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: x\r\n\r\n`;
  await talk(connect(port), [stream], 1);
  await talk(connect(port), stream.split(''), 1);
  await talk(connect(port), [CHUNKED, '3;x=y\r\na', 'bc\r\n2\r\nde\r\n0\r\nT: x\r\n\r\n'], 1);
  const passed = { url: '/', body: 'abcde', violation: null };
  t.same(seen, [passed, passed, passed]);
});

void t.test('refuses an absurd size at once when it is in the first packet', async (t) => {
  const { port, seen } = await guarded(t);
  const text = await talk(connect(port), [`${CHUNKED}FFFFFFFFFFFFFFFF\r\nabc`], 1);
  t.match(text, /^HTTP\/1\.1 400 /);
  t.match(seen, [{ violation: 'chunk size has too many digits' }]);
});

void t.test('refuses a later packet before its bytes are read', async (t) => {
  const { port, seen } = await guarded(t);
  const text = await talk(connect(port), [`${CHUNKED}3\r\nabc\r\n`, `1;${'e'.repeat(300)}\r\nZ\r\n0\r\n\r\n`], 1);
  t.match(text, /^HTTP\/1\.1 400 /);
  t.equal(seen[0]?.violation, 'chunk extension is too long');
});

void t.test('the call back comes before the data event of the same packet', async (t) => {
  const order: string[] = [];
  const server = http.createServer((req, res) => {
    guardChunks(req, () => order.push('violation'));
    req.on('data', (chunk: Buffer) => order.push(chunk.toString()));
    req.on('end', () => res.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const client = connect((server.address() as AddressInfo).port);
  await talk(client, [`${CHUNKED}3\r\nabc\r\n`, `1;${'e'.repeat(300)}\r\nZ\r\n0\r\n\r\n`], 1);
  t.same(order, ['abc', 'violation', 'Z']);
});

void t.test('a connection whose framing broke is refused for good', async (t) => {
  const { port, seen } = await guarded(t);
  const broken = `${CHUNKED}1;${'e'.repeat(300)}\r\nx\r\n0\r\n\r\n`;
  await talk(connect(port), [broken + CHUNKED + '1\r\nx\r\n0\r\n\r\n'], 1);
  t.equal(
    seen.length > 1 ? seen[1]?.violation : 'not read',
    'an earlier request of this connection broke the chunk framing',
  );
});

void t.test('follows pipelined requests with equal heads in one packet', async (t) => {
  const { port, seen } = await guarded(t);
  const one = `${CHUNKED}1\r\nx\r\n0\r\n\r\n`;
  await talk(connect(port), [one + one + one], 3);
  await talk(connect(port), [one + one.slice(0, -3), one.slice(-3) + one, one + one], 5);
  t.equal(seen.length, 8);
  t.same(
    seen.filter((s) => s.violation !== null),
    [],
  );
});

void t.test('refuses equal heads in one packet when it has not seen where the first starts', async (t) => {
  const { port, seen } = await guarded(t);
  const one = `${CHUNKED}1\r\nx\r\n0\r\n\r\n`;
  await talk(connect(port), ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', one + one], 2);
  t.match(seen[1]?.violation, /two places/);
});

void t.test('a copy of the head in an earlier body hides nothing', async (t) => {
  const { port, seen } = await guarded(t);
  const decoy = `${CHUNKED}5\r\nhello\r\n0\r\n\r\n`;
  const carrier = `POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: ${decoy.length}\r\n\r\n${decoy}`;
  await talk(connect(port), [`${carrier}${CHUNKED}FFFFFFFFFFFFFFFF\r\nabc`], 2);
  t.match(seen[1]?.violation, /two places/);
});

void t.test('works with 100-continue', async (t) => {
  const { port, seen } = await guarded(t);
  const head = CHUNKED.replace('Host: a', 'Host: a\r\nExpect: 100-continue');
  await talk(connect(port), [head, '100000000\r\nabc'], 1);
  t.match(seen, [{ violation: 'chunk size has too many digits' }]);
});

void t.test('works over TLS', async (t) => {
  const { port, seen } = await guarded(t, https.createServer(certificate()));
  const client = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(client, 'secureConnect');
  await talk(client, [`${CHUNKED}3\r\nabc\r\n`, '2\r\nde\r\n0\r\n\r\n'], 1);
  const second = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(second, 'secureConnect');
  await talk(second, [CHUNKED, '100000000\r\nabc'], 1);
  t.match(seen, [{ body: 'abcde', violation: null }, { violation: 'chunk size has too many digits' }]);
});

void t.test('a request that nobody reads still slows its sender', async (t) => {
  const server = http.createServer((req) => guardChunks(req, (why) => t.fail(why)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port);
  client.on('error', () => {});
  t.teardown(() => {
    client.destroy();
    server.close();
    server.closeAllConnections();
  });
  client.write(CHUNKED);
  const [req] = (await once(server, 'request')) as [IncomingMessage];
  const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000, 'x'), Buffer.from('\r\n')]);
  while (!req.socket.isPaused()) {
    client.write(chunk);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.ok(req.readableLength <= 4 * 0x10000, `${req.readableLength} bytes waiting`);
  req.resume();
  client.end('0\r\n\r\n');
  await once(req, 'end');
});

void t.test('fails closed where the packets cannot be seen', async (t) => {
  const why: string[] = [];
  const socket = new net.Socket();
  guardChunks({ socket, rawHeaders: [] } as unknown as IncomingMessage, (reason) => why.push(reason));
  t.match(why, [/shows no packets/]);
});

void t.test('valid pipelines pass in any packets, and a hidden size is found in any', async (t) => {
  const { port, seen } = await guarded(t);
  const message = fc.oneof(
    fc.constant((n: number) => `GET /${n} HTTP/1.1\r\nHost: a\r\n\r\n`),
    fc.string({ maxLength: 30 }).map((body) => (n: number) => {
      // Behind the end of a head, what begins like a chunk size could be the body of a head in the packet before: it is refused.
      const bytes = Buffer.from(`-${body}`).toString('latin1');
      return `POST /${n} HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes.length}\r\n\r\n${bytes}`;
    }),
    fc.array(fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme-ascii' })).map((chunks) => (n: number) => {
      const body = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
      return `POST /${n} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nX-A:  b \r\n\r\n${body}0\r\n\r\n`;
    }),
  );
  const cuts = fc.array(fc.nat(5000), { maxLength: 6 });
  await t.resolves(
    fc.assert(
      fc.asyncProperty(
        fc.array(message, { minLength: 1, maxLength: 5 }),
        cuts,
        fc.boolean(),
        async (makers, at, bad) => {
          seen.length = 0;
          const tail = bad ? CHUNKED.replace('/', '/bad') + '1FFFFFFFFF\r\nx' : '';
          const stream = makers.map((make, n) => make(n)).join('') + tail;
          const ends = [0, ...at.map((n) => n % stream.length).toSorted((a, b) => a - b), stream.length];
          const packets = ends
            .slice(1)
            .map((end, i) => stream.slice(ends[i], end))
            .filter((packet) => packet !== '');
          await talk(connect(port), packets, makers.length + (bad ? 1 : 0));
          const good = seen.filter((one) => one.url !== '/bad');
          const last = seen.find((one) => one.url === '/bad');
          return (
            good.length === makers.length &&
            good.every((one) => one.violation === null) &&
            (!bad || last?.violation === 'chunk size has too many digits')
          );
        },
      ),
      { numRuns: 150 },
    ),
  );
});

/** As `guarded`, but answers wait until they are told to go, and the parser stops where too many do. */
async function paced(t: Test) {
  const seen: Seen[] = [];
  const waiting: http.ServerResponse[] = [];
  const server = http.createServer((req, res) => {
    keepPace(req, res);
    const one: Seen = { url: req.url ?? '', body: '', violation: null };
    seen.push(one);
    if (req.headers['transfer-encoding'] !== undefined) guardChunks(req, (why) => (one.violation = why));
    req.on('data', (chunk: Buffer) => (one.body += chunk.toString('latin1')));
    waiting.push(res);
  });
  hidePauses(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const client = connect((server.address() as AddressInfo).port);
  t.teardown(() => client.destroy());
  client.setNoDelay(true).resume();
  const send = async (packet: string, requests: number): Promise<void> => {
    client.write(packet);
    while (seen.length < requests) await new Promise(setImmediate);
  };
  const answer = async (requests: number): Promise<void> => {
    while (waiting.length > 0 || seen.length < requests) {
      waiting.shift()?.end('ok');
      await new Promise(setImmediate);
    }
  };
  return { seen, send, answer };
}

const get = (length: number): string => {
  const plain = 'GET /b HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n';
  return plain.replace('X: ', `X: ${'x'.repeat(length - plain.length)}`);
};

void t.test('where the parser stops behind a head, a body is followed that starts there, and no other', async (t) => {
  const first = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  const long = CHUNKED.replace('Host: a', `Host: a\r\nX: ${'x'.repeat(60)}`);
  const { seen, send, answer } = await paced(t);
  await send(`${long}1\r\nx\r\n0\r\n\r\n`, 1);
  // The second of these ends where the body of the packet before began.
  await send(first + get(long.length - first.length) + first, 3);
  await answer(4);
  await send(`${CHUNKED}1\r\ny\r\n0\r\n\r\n`, 5);
  await answer(5);
  t.same(
    seen.map(({ body, violation }) => [body, violation]),
    [
      ['x', null],
      ['', null],
      ['', null],
      ['', null],
      ['y', null],
    ],
  );
});

void t.test(
  'a body whose beginning comes again, since the parser stopped before it, is followed from there',
  async (t) => {
    const first = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    const odd = `1;${'e'.repeat(300)}\r\nx\r\n0\r\n\r\n`;
    for (const [body, rest, why] of [
      ['3\r\nabc\r\n0\r\n\r\n', '', null],
      ['3\r\nab', 'c\r\n0\r\n\r\n', null],
      [`3\r\nabc\r\n${odd}`, '', 'chunk extension is too long'],
      ['3\r\nab', `c\r\n${odd}`, 'chunk extension is too long'],
    ] as const) {
      const { seen, send, answer } = await paced(t);
      await send(first, 1);
      await send(first + CHUNKED + body, 3);
      await answer(3);
      if (why !== null) {
        await send(rest, 3);
        while (seen[2]?.body !== 'abcx') await new Promise(setImmediate);
        t.equal(seen[2]?.violation, why);
        continue;
      }
      await send(`${rest}${CHUNKED}1\r\ny\r\n0\r\n\r\n`, 4);
      await answer(4);
      t.match(seen.slice(2), [
        { body: 'abc', violation: null },
        { body: 'y', violation: null },
      ]);
    }
  },
);

void t.test('of a body that was read nothing is held while its connection stays open', async (t) => {
  const listeners: WeakRef<object>[] = [];
  const server = http.createServer((req, res) => {
    const listener = { of: req };
    listeners.push(new WeakRef(listener));
    guardChunks(req, (why) => t.fail(why, listener));
    req.on('end', () => res.end('ok')).resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const packet = Buffer.from(`${CHUNKED}e000\r\n${'x'.repeat(0xe000)}\r\n0\r\n\r\n`);
  const ask = async (): Promise<Socket> => {
    const client = connect((server.address() as AddressInfo).port);
    client.write(packet);
    await once(client, 'data');
    return client;
  };
  (await ask()).destroy();
  /** What is garbage may take some turns until it is swept. */
  const heldBytes = async (): Promise<number> => {
    let least = Infinity;
    for (let turn = 0; turn < 15; turn++) {
      await new Promise(setImmediate);
      collect();
      least = Math.min(least, process.memoryUsage().arrayBuffers);
    }
    return least;
  };
  const before = await heldBytes();
  const clients: Socket[] = [];
  while (clients.length < 30) clients.push(await ask());
  const grown = (await heldBytes()) - before;
  t.ok(grown < clients.length * 0x7000, `${grown} bytes for ${clients.length} connections`);
  t.equal(listeners.filter((listener) => listener.deref() !== undefined).length, 0, 'nor whoever was to be told');
  for (const client of clients) client.destroy();
});

function certificate(): { key: Buffer; cert: Buffer } {
  return { key: readFileSync('test/fixtures/tls/key.pem'), cert: readFileSync('test/fixtures/tls/cert.pem') };
}
