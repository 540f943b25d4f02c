/** An answer whose body is at hand reaches the client as Node's own `end` would send it, in fewer pieces. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import t, { type Test } from 'tap';
import { endWhole } from '../../src/lib/whole-answer.ts';
import { sendRaw } from '../support/raw-http.ts';

const DATE = ['Date', 'Thu, 01 Jan 2026 00:00:00 GMT'];
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const LAST = GET.replace('Host', 'Connection: close\r\nHost');

interface Served {
  readonly port: number;
  /** How often the server handed something to the kernel: one piece, or several at once. */
  readonly writes: { one: number; several: number };
}

async function serve(t: Test, respond: (res: http.ServerResponse) => void): Promise<Served> {
  const writes = { one: 0, several: 0 };
  const server = http.createServer((_req, res) => respond(res));
  server.on('connection', (socket: Socket) => {
    const { _write, _writev } = socket;
    Object.assign(socket, {
      _write(...args: Parameters<typeof _write>) {
        writes.one += 1;
        _write.apply(socket, args);
      },
      _writev(...args: Parameters<NonNullable<typeof _writev>>) {
        writes.several += 1;
        _writev?.apply(socket, args);
      },
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  return { port: (server.address() as AddressInfo).port, writes };
}

/** What the client receives when Node ends the answer, and when this module does. */
async function both(t: Test, status: number, headers: readonly string[], body: Buffer | string, request = LAST) {
  const [expected, got] = await Promise.all(
    [(res: http.ServerResponse) => void res.end(body, 'latin1'), (res: http.ServerResponse) => endWhole(res, body)].map(
      async (end) => {
        const { port } = await serve(t, (res) => end(res.writeHead(status, [...DATE, ...headers])));
        return (await sendRaw(port, request, { untilClose: true })).text;
      },
    ),
  );
  t.ok(got !== '' && got !== undefined);
  t.equal(got, expected, `${status} ${headers.join(' ')}`);
}

t.test('the bytes are the same, whatever the answer is', async (t) => {
  const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  const long = Buffer.alloc(100_000, every);
  const named = ['X-Name', 'caf\u00e9'];
  await both(t, 200, [...named, 'Content-Length', '256'], every);
  await both(t, 403, [...named, 'Content-Length', '9'], '{"n":"x"}');
  await both(t, 200, ['Content-Length', '100000'], long);
  await both(t, 200, named, every);
  await both(t, 200, ['Content-Length', '0'], '');
  await both(t, 204, named, '');
  await both(t, 200, ['Content-Length', '256'], every, LAST.replace('GET', 'HEAD'));
});

t.test('a small one goes out in one piece, with its headers', async (t) => {
  const { port, writes } = await serve(t, (res) => endWhole(res.writeHead(200, ['Content-Length', '4']), 'body'));
  await sendRaw(port, GET);
  t.same(writes, { one: 1, several: 0 });
});

t.test('of more than 8 KiB no copy is made: Node gives the kernel its pieces', async (t) => {
  for (const [length, wanted] of [
    [8192, { one: 1, several: 0 }],
    [8193, { one: 0, several: 1 }],
  ] as const) {
    const { port, writes } = await serve(t, (res) =>
      endWhole(res.writeHead(200, ['Content-Length', String(length)]), Buffer.alloc(length)),
    );
    await sendRaw(port, GET);
    t.same(writes, wanted, String(length));
  }
});

t.test('answers to pipelined requests stay in their order', async (t) => {
  let count = 0;
  const { port } = await serve(t, (res) => {
    const body = `answer ${(count += 1)}`;
    setTimeout(() => endWhole(res.writeHead(200, ['Content-Length', '8']), body), 4 - count);
  });
  const { text } = await sendRaw(port, `${GET}${GET}${LAST}`, { untilClose: true });
  t.same(text.match(/answer \d/g), ['answer 1', 'answer 2', 'answer 3']);
});
