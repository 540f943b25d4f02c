/** Slow: limits of whole seconds run out, and bodies are as large as they may be. */
import { once } from 'node:events';
import net from 'node:net';
import zlib from 'node:zlib';
import t from 'tap';
import { request } from '../support/attack.ts';
import { startBackend } from '../support/backend.ts';
import { startPostern, type Postern } from '../support/postern.ts';
import { sendRaw } from '../support/raw-http.ts';

const SERVER = 'secret-of-the-server-key';
const WEB = 'secret-of-the-web-key';
const keys = [
  { id: 'server', type: 'read-write', secret: SERVER },
  { id: 'web', type: 'write-only', secret: WEB, allowedEvents: ['login'] },
];
const GOOD = request('POST /event/ingest HTTP/1.1', ['Host: a', `Authorization: Bearer ${WEB}`], '{"name":"login"}');

/** A client that sends its texts one by one, waiting between them, until the server closes; resolves to the answer. */
function drip(port: number, texts: Iterable<string>, everyMs: number): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = net.connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1');
    const rest = texts[Symbol.iterator]();
    const timer = setInterval(() => {
      const { value, done } = rest.next();
      if (done !== true && socket.writable) socket.write(value);
    }, everyMs);
    socket.on('data', (data: string) => (answer += data));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(timer);
      resolve(answer.split('\r\n', 1)[0] ?? '');
    });
  });
}

/** Sends more and more until there is an answer, as a client that floods does not: one that writes on may lose it to a reset. */
function flood(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let [answer, at] = ['', 0];
    const socket = net.connect(port, '127.0.0.1').setEncoding('latin1');
    const more = (): void => {
      if (answer !== '' || at >= text.length || socket.destroyed) return;
      socket.write(text.slice(at, (at += 65_536)), () => setImmediate(more));
    };
    socket.on('connect', more);
    socket.on('data', (data: string) => (answer += data));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });
}

function* forever(text: string): Generator<string> {
  for (;;) yield text;
}

async function startLimited(t: Parameters<typeof startBackend>[0], listen: Record<string, unknown>): Promise<Postern> {
  const backend = await startBackend(t);
  return startPostern(t, { config: { listen, apis: { integration: { upstream: backend.url } } }, keys });
}

t.test('what drips in byte by byte ends at its limit, and others are served meanwhile', async (t) => {
  const postern = await startLimited(t, { headersTimeoutSeconds: 1, requestTimeoutSeconds: 2 });
  const head = request('POST /profile HTTP/1.1', [
    'Host: a',
    `Authorization: Bearer ${SERVER}`,
    'Content-Length: 9999',
  ]);
  const dripping = [
    drip(postern.port, [], 100),
    drip(postern.port, forever('\r\n'), 100),
    drip(postern.port, 'GET / HTTP/1.1 and so on, very slowly indeed, for more than a second', 100),
    drip(
      postern.port,
      (function* () {
        yield 'GET / HTTP/1.1\r\n';
        yield* forever('X: y\r\n');
      })(),
      100,
    ),
    drip(
      postern.port,
      (function* () {
        yield head;
        yield* forever('x');
      })(),
      100,
    ),
    drip(
      postern.port,
      (function* () {
        yield head.replace('Content-Length: 9999', 'Transfer-Encoding: chunked');
        yield* forever('1\r\nx\r\n');
      })(),
      100,
    ),
    drip(
      postern.port,
      (function* () {
        yield request('POST /event/ingest HTTP/1.1', [
          'Host: a',
          `Authorization: Bearer ${WEB}`,
          'Content-Length: 9999',
        ]);
        yield* forever(' ');
      })(),
      100,
    ),
  ];
  let [served, refused] = [0, 0];
  const state = { over: false };
  const all = Promise.all(dripping).finally(() => (state.over = true));
  while (!state.over) {
    if ((await sendRaw(postern.port, GOOD)).status === 204) served++;
    else refused++;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const answers = await all;
  for (const answer of answers) t.match(answer, /^(HTTP\/1\.1 408 .*)?$/);
  t.ok(answers.filter((answer) => answer.includes(' 408 ')).length >= 4, JSON.stringify(answers));
  t.ok(served > 0, 'others were served');
  t.equal(refused, 0, 'each of them');
});

t.test('idle connections beyond the limit are closed, those within it served', async (t) => {
  const postern = await startLimited(t, { maxConnections: 20, headersTimeoutSeconds: 120, requestTimeoutSeconds: 120 });
  const sockets = Array.from({ length: 60 }, () => net.connect(postern.port, '127.0.0.1'));
  t.teardown(() => sockets.forEach((socket) => socket.destroy()));
  const counts = { closed: 0 };
  for (const socket of sockets)
    socket
      .on('error', () => undefined)
      .on('close', () => counts.closed++)
      .resume();
  while (counts.closed < 40) await new Promise((resolve) => setTimeout(resolve, 10));
  t.equal(counts.closed, 40);
  const [kept] = sockets.filter((socket) => !socket.destroyed && socket.readyState === 'open');
  kept?.write(GOOD);
  const [answer] = kept === undefined ? [] : ((await once(kept, 'data')) as [Buffer]);
  t.match(String(answer), /^HTTP\/1\.1 204 /);
  for (const socket of sockets) socket.destroy();
  // Room again as soon as the closed ones are seen.
  for (;;) {
    const { status } = await sendRaw(postern.port, GOOD);
    if (status === 204) break;
  }
  t.equal((await fetch(`${postern.adminUrl}/readyz`)).status, 200);
});

t.test('bodies that are small on the wire and large inside cost their limit', async (t) => {
  const postern = await startLimited(t, {});
  const size = 1_000_000;
  const compressed = (coding: string, body: Buffer): string =>
    request(
      'POST /event/ingest HTTP/1.1',
      ['Host: a', `Authorization: Bearer ${WEB}`, `Content-Encoding: ${coding}`],
      body.toString('latin1'),
    );
  const plain = (body: string): string =>
    request('POST /event/ingest/batch HTTP/1.1', ['Host: a', `Authorization: Bearer ${WEB}`], body);
  const zeros = Buffer.alloc(48 * 1024 * 1024);
  const greedy: readonly (readonly [what: string, bytes: string, status: number])[] = [
    ['48 MB of zeros in gzip', compressed('gzip', zlib.gzipSync(zeros)), 413],
    [
      '48 MB of zeros in brotli',
      compressed('br', zlib.brotliCompressSync(zeros, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 2 } })),
      413,
    ],
    ['half a million levels', plain('['.repeat(size / 2) + ']'.repeat(size / 2)), 400],
    ['half a million levels, never closed', plain('{"a":'.repeat(size / 5)), 400],
    ['half a million empty objects', plain(`{"events":[${'{},'.repeat(size / 4)}{}]}`), 403],
    [
      'a hundred thousand members',
      plain(`{"events":[],${Array.from({ length: 70_000 }, (_, i) => `"a${i}":1`).join(',')}}`),
      204,
    ],
    [
      'a hundred thousand look-alike members',
      plain(`{"events":[],${Array.from({ length: 60_000 }, () => '"Ev\\u0065nts":1').join(',')}}`),
      400,
    ],
    [
      'one name of a megabyte',
      plain(`{"events":[],"${'\u017f'.repeat(10)}${'e'.repeat(size)}":1}`.replaceAll('\u017f', 's')),
      204,
    ],
    ['a megabyte of escapes in a name', plain(`{"events":[],"${'\\u0065'.repeat(size / 6)}":1}`), 204],
    ['a megabyte of backslashes', plain(`{"events":[],"a":"${'\\\\'.repeat(size / 2)}"}`), 204],
    ['a megabyte of digits', plain(`{"events":[],"a":${'9'.repeat(size)}}`), 204],
    ['a megabyte of spaces', plain(`{"events":[${' '.repeat(size)}]}`), 204],
  ];
  for (const [what, bytes, status] of greedy) {
    const before = process.cpuUsage();
    t.equal((await sendRaw(postern.port, bytes)).status, status, what);
    const { user } = process.cpuUsage(before);
    t.ok(user < 3_000_000, `${what}: ${Math.round(user / 1000)} ms of work`);
  }
  t.equal(await postern.metric('postern_requests_in_flight{api="integration"}'), 0);
});

t.test('a flood of header fields, targets and pipelined refusals is refused in bounded memory', async (t) => {
  const postern = await startLimited(t, {});
  for (const bytes of [
    `GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(500_000)}`,
    `GET /${'a'.repeat(4_000_000)}`,
    `GET / HTTP/1.1\r\nX: ${'a'.repeat(4_000_000)}`,
  ])
    t.match(await flood(postern.port, bytes), /^HTTP\/1\.1 431 /);
  const before = process.memoryUsage().rss;
  const socket = net.connect(postern.port, '127.0.0.1');
  socket.on('error', () => undefined);
  // A client that never reads: answers must not pile up here.
  socket.pause();
  const refused = request('GET /a HTTP/1.1', ['Host: a']).repeat(1000);
  for (let n = 0; n < 200 && socket.writableLength < 8_000_000; n++) {
    socket.write(refused);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal((await sendRaw(postern.port, GOOD)).status, 204, 'others are served meanwhile');
  t.ok(process.memoryUsage().rss - before < 256 * 1024 * 1024);
  socket.destroy();
});
