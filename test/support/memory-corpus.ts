/**
 * A Postern process with a small heap, and clients that cost it memory: that go idle after one request, or pipeline requests and
 * read nothing. Tells what is held; whether that is too much is for the caller to say.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { startBackend } from './backend.ts';
import type { Memory } from './memory-probe.ts';
import { portsOf, spawnPostern, type PosternProcess } from './process.ts';
import { sendRaw } from './raw-http.ts';

interface Disposer {
  readonly teardown: (dispose: () => unknown) => void;
}

const SERVER = 'secret-of-the-server-key-in-the-corpus';
const WEB = 'secret-of-the-web-key-in-the-corpus';
const CLIENT = 'client-secret-of-the-corpus';
const API = 'environment-api-key-of-the-corpus';
const HEAP_MB = 128;
/** Bytes of a large body: many times what an idle connection may hold. */
export const LARGE = 300_000;

export const IDLE_SECONDS = 1;

export interface Corpus {
  readonly postern: PosternProcess;
  readonly port: number;
  readonly admin: number;
  /** A request of each kind that a client can go idle after. */
  readonly kinds: Readonly<Record<string, string>>;
}

/** Starts the process, and a backend that answers 204, or as much as the path asks for (`/bytes/1000`). */
export async function startCorpus(t: Disposer): Promise<Corpus> {
  const backend = await startBackend(t, ({ url }, res) => {
    const size = /bytes(?:\/|=)(\d+)/.exec(url)?.[1];
    if (size === undefined) res.writeHead(204).end();
    else res.end(Buffer.alloc(Number(size), 'x'));
  });
  const api = { upstream: backend.url, idleTimeoutSeconds: IDLE_SECONDS };
  const postern = spawnPostern(t, {
    node: [`--max-old-space-size=${HEAP_MB}`, '--expose-gc', '--import=./.build/test/support/memory-probe.js'],
    config: {
      apis: {
        integration: { ...api, credential: ['bearer', 'body:api_key'] },
        metrics: { ...api, token: { secret: 't'.repeat(32) } },
      },
      log: { requests: 'none' },
      listen: { host: '127.0.0.1', port: 0, headersTimeoutSeconds: 4, requestTimeoutSeconds: 4 },
    },
    keys: [
      { id: 'server', type: 'read-write', secret: SERVER },
      { id: 'web', type: 'write-only', secret: WEB, allowedEvents: ['login'], allowedOrigins: ['https://a.example'] },
      { id: 'dashboard', type: 'metrics', apiKey: API, secrets: [{ value: CLIENT }] },
    ],
  });
  postern.child.stdout?.on('error', () => undefined);
  const { data: port, admin } = await portsOf(postern);
  const issued = await sendRaw(port, tokenRequest());
  const { accessToken } = JSON.parse(issued.body) as { accessToken: string };
  return { postern, port, admin, kinds: kindsOf(accessToken) };
}

/** What is in memory beside garbage. */
export async function memoryOf(child: ChildProcess): Promise<Memory> {
  const told = once(child, 'message');
  child.send('memory');
  const [memory] = (await told) as [Memory];
  return memory;
}

export interface BareNode {
  readonly child: ChildProcess;
  readonly port: number;
}

export async function startBareNode(t: Disposer): Promise<BareNode> {
  const probe = '--import=./.build/test/support/memory-probe.js';
  const child = spawn(process.execPath, ['--expose-gc', probe, '.build/test/support/bare-node.js'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return { child, port };
}

/** What one connection of `count` holds that is idle after the request, in bytes. */
export async function heldIdle(child: ChildProcess, port: number, request: string, count: number): Promise<number> {
  // Whatever is made once, or once for each connection to the backend, is there by now.
  for (const socket of await Promise.all(Array.from({ length: count }, () => idleAfter(port, request))))
    socket.destroy();
  const before = await memoryOf(child);
  const sockets = await Promise.all(Array.from({ length: count }, () => idleAfter(port, request)));
  const after = await memoryOf(child);
  const open = sockets.filter((socket) => !socket.destroyed && socket.readyState === 'open').length;
  for (const socket of sockets) socket.destroy();
  if (open < count) throw new Error(`${count - open} connections were closed`);
  return (after.heap + after.buffers - before.heap - before.buffers) / count;
}

/** A connection whose request was answered. */
function idleAfter(port: number, request: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(Buffer.from(request, 'latin1')));
    let head = '';
    let left = Infinity;
    const onData = (data: Buffer): void => {
      if (left === Infinity) {
        head += data.toString('latin1');
        const end = head.indexOf('\r\n\r\n') + 4;
        if (end < 4) return;
        left = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0) - (head.length - end);
      } else left -= data.length;
      if (left > 0) return;
      socket.off('data', onData).resume();
      resolve(socket);
    };
    socket.on('error', reject).on('data', onData);
    socket.on('close', () => reject(new Error(`closed after ${head.slice(0, 500)}`)));
  });
}

export interface Deaf {
  readonly sockets: readonly Socket[];
  /** How many the server has closed. */
  readonly closed: () => number;
  readonly stop: () => void;
}

/** Clients that send the bytes again and again and read nothing. */
export function deafClients(port: number, bytes: string, count: number): Deaf {
  const packet = Buffer.from(bytes.repeat(Math.max(1, Math.floor(65_536 / bytes.length))), 'latin1');
  let closed = 0;
  const sockets = Array.from({ length: count }, () => {
    const socket = net.connect(port, '127.0.0.1');
    const send = (): void => {
      while (socket.writable && socket.writableLength < 4 * packet.length) socket.write(packet);
    };
    // Only a reset is seen by a client that does not read: it goes on writing to see one.
    const timer = setInterval(send, 20);
    socket.pause();
    socket.on('connect', send).on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(timer);
      closed++;
    });
    return socket;
  });
  return { sockets, closed: () => closed, stop: () => sockets.forEach((socket) => socket.destroy()) };
}

/** Connections that send half of each request, `count` of each, and then nothing. Resolves once all of it was sent. */
export function stoppedUploads(port: number, requests: readonly string[], count: number): Promise<Socket[]> {
  const begin = (request: string): Promise<Socket> =>
    new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => {
        socket.write(Buffer.from(request.slice(0, request.length / 2), 'latin1'), () => resolve(socket));
      });
      socket.on('error', () => undefined).resume();
    });
  return Promise.all(requests.flatMap((request) => Array.from({ length: count }, () => begin(request))));
}

const head = (line: string, fields: readonly string[]): string =>
  `${line} HTTP/1.1\r\nHost: a\r\n${fields.map((field) => `${field}\r\n`).join('')}`;

const whole = (line: string, fields: readonly string[], body: string): string =>
  `${head(line, [...fields, 'Content-Type: application/json', `Content-Length: ${body.length}`])}\r\n${body}`;

const tokenRequest = (secret = CLIENT): string =>
  whole('POST /metrics/auth/token', [], JSON.stringify({ clientSecret: secret, environmentApiKey: API }));

function kindsOf(token: string): Record<string, string> {
  const server = `Authorization: Bearer ${SERVER}`;
  const web = `Authorization: Bearer ${WEB}`;
  const metrics = `Authorization: Bearer ${token}`;
  const large = 'x'.repeat(LARGE);
  const events = JSON.stringify({ events: [{ name: 'login', a: large }, { name: 'other' }] });
  const coded = gzipSync(Buffer.from(events)).toString('latin1');
  const many = Array.from({ length: 900 }, (_, n) => `X-${n}: ${n}`);
  return {
    'GET forwarded': `${head('GET /profile/1', [server])}\r\n`,
    'GET without a key': `${head('GET /', [])}\r\n`,
    'GET without a key, over HTTP/1.0': `${head('GET /', ['Connection: keep-alive']).replace('HTTP/1.1', 'HTTP/1.0')}\r\n`,
    'GET of a wrong key': `${head('GET /', ['Authorization: Bearer wrong'])}\r\n`,
    'GET of a route that is not the key\u2019s': `${head('GET /', [web])}\r\n`,
    'GET of a long target': `${head(`GET /?${'q'.repeat(12_000)}`, [])}\r\n`,
    'GET of a large answer': `${head('GET /bytes/300000', [server])}\r\n`,
    preflight: `${head('OPTIONS /', ['Origin: https://a.example', 'Access-Control-Request-Method: POST'])}\r\n`,
    '900 header fields without a key': `${head('GET /', many)}\r\n`,
    '900 header fields': `${head('GET /profile/1', [...many, server])}\r\n`,
    'a long header field': `${head('GET /profile/1', [server, `X: ${'x'.repeat(12_000)}`])}\r\n`,
    'a single event': whole('POST /event/ingest', [web], '{"name":"login"}'),
    'a batch, one event cut': whole('POST /event/ingest/batch', [web], events),
    'a batch in gzip, one event cut': whole('POST /event/ingest/batch', [web, 'Content-Encoding: gzip'], coded),
    'a batch, all refused': whole('POST /event/ingest/batch', [web], `{"events":[{"name":"other","a":"${large}"}]}`),
    'a credential in the body': whole('POST /profile', [], `{"api_key":"${SERVER}","a":"${large}"}`),
    'a wrong credential in the body': whole('POST /profile', [], `{"api_key":"wrong","a":"${large}"}`),
    'a large upload': whole('POST /profile', [server], large),
    'a chunked upload': `${head('POST /profile', [server, 'Transfer-Encoding: chunked'])}\r\n${LARGE.toString(16)}\r\n${large}\r\n0\r\n\r\n`,
    'a small chunked body without a key': `${head('POST /metrics/query', ['Transfer-Encoding: chunked'])}\r\n1\r\nx\r\n0\r\n\r\n`,
    'a token': tokenRequest(),
    'a cached answer': whole('POST /metrics/query?bytes=300000', [metrics], '{}'),
    'a small cached answer': whole('POST /metrics/query?bytes=1000', [metrics], '{}'),
  };
}
