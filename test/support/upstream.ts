/** Backends that answer exact bytes, and what is needed to talk to them through `src/upstream/`. */
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import type { Test } from 'tap';
import type { TlsSettings } from '../../src/upstream/connector.ts';
import { dispatch, type Flight, type UpstreamRequest } from '../../src/upstream/dispatch.ts';
import type { UpstreamFailure } from '../../src/upstream/failure.ts';
import { forward, type ForwardInput, type ForwardResult } from '../../src/upstream/forward.ts';
import { clientHeaders, upstreamHeaders } from '../../src/upstream/headers.ts';
import { createUpstream, type Upstream, type UpstreamSettings, type UpstreamWorld } from '../../src/upstream/pool.ts';

export interface RawBackend {
  readonly port: number;
  readonly url: string;
  /** Every connection ever accepted. */
  readonly sockets: readonly Socket[];
}

/** Listens on the loopback, on a free port unless told otherwise; `onConnection` gets each connection and its number, from 0. */
export async function rawBackend(
  t: Test,
  onConnection: (socket: Socket, index: number) => void,
  secure: tls.TlsOptions | null = null,
  { host, port: wanted } = { host: '127.0.0.1', port: 0 },
): Promise<RawBackend> {
  const sockets: Socket[] = [];
  const accept = (socket: Socket): void => {
    socket.on('error', () => {});
    onConnection(socket, sockets.push(socket) - 1);
  };
  const server = secure === null ? net.createServer(accept) : tls.createServer(secure, accept);
  server.on('tlsClientError', () => {});
  server.listen(wanted, host);
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, url: `${secure === null ? 'http' : 'https'}://${host}:${port}`, sockets };
}

/** The same behind a Unix socket, in a folder of its own. */
export async function socketBackend(
  t: Test,
  onConnection: (socket: Socket, index: number) => void,
): Promise<{ readonly url: string; readonly path: string; readonly sockets: readonly Socket[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-socket-'));
  const path = join(folder, 'app.sock');
  const sockets: Socket[] = [];
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    onConnection(socket, sockets.push(socket) - 1);
  });
  server.listen(path);
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { url: `unix:${path}`, path, sockets };
}

/** Calls back with each whole request on the connection: its head and its body, as they were on the wire. */
export function onRequest(socket: Socket, callback: (request: string) => void): void {
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    for (let end = endOfRequest(text); end !== -1; end = endOfRequest(text)) {
      const request = text.slice(0, end);
      text = text.slice(end);
      callback(request);
    }
  });
}

function endOfRequest(text: string): number {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return -1;
  const bodyStart = headEnd + 4;
  const head = text.slice(0, bodyStart);
  if (/\r\ntransfer-encoding: chunked\r\n/i.test(head)) {
    const last = text.indexOf('0\r\n\r\n', bodyStart);
    return last === -1 ? -1 : last + 5;
  }
  const length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1] ?? 0);
  return text.length >= bodyStart + length ? bodyStart + length : -1;
}

/** A backend that gives every request the same bytes, latin1. */
export function answering(t: Test, bytes: string, then: 'keep' | 'end' | 'reset' = 'keep'): Promise<RawBackend> {
  return rawBackend(t, (socket) => {
    onRequest(socket, () => {
      socket.write(Buffer.from(bytes, 'latin1'), () => {
        if (then === 'end') socket.end();
        if (then === 'reset') socket.resetAndDestroy();
      });
    });
  });
}

/** What an https:// backend is verified by: nothing of its own, unless told. */
export const tlsTo = (settings: Partial<TlsSettings> = {}): TlsSettings => ({
  ca: null,
  insecureSkipVerify: false,
  serverName: null,
  cert: null,
  key: null,
  ...settings,
});

/** Settings with short timeouts. */
export function upstreamTo(
  t: Test,
  url: string,
  settings: Partial<UpstreamSettings> = {},
  world: Partial<UpstreamWorld> = {},
): Upstream {
  const whole: UpstreamSettings = {
    url,
    connectTimeoutSeconds: 2,
    timeoutSeconds: 5,
    idleTimeoutSeconds: 5,
    maxConnections: 4,
    maxConnectionsPerKey: 4,
    keepAliveSeconds: 4,
    preserveHost: false,
    tls: tlsTo(),
    ...settings,
  };
  const upstream = createUpstream(whole, world);
  t.teardown(() => upstream.destroy());
  return upstream;
}

export interface Recorded {
  readonly flight: Flight;
  readonly status: number;
  readonly headers: readonly string[];
  readonly statusText: string;
  readonly body: string;
  readonly trailers: readonly string[];
  /** How it ended: `end`, or the failure's kind. */
  readonly ended: string;
  readonly failure: UpstreamFailure | null;
  /** Calls of onEnd and onFailure together. */
  readonly endings: number;
}

/** Dispatches and records the answer. `done` resolves when it has ended. */
export function recordFlight(upstream: Upstream, request: Partial<UpstreamRequest> = {}) {
  const record = { status: 0, headers: [] as readonly string[], statusText: '', body: '', endings: 0 };
  const ended = new EventEmitter();
  const end = (how: string, failure: UpstreamFailure | null, trailers: readonly string[]): void => {
    record.endings += 1;
    ended.emit('ended', Object.assign(record, { flight, ended: how, failure, trailers }));
  };
  const done = once(ended, 'ended').then(([recorded]) => recorded as Recorded);
  const whole: UpstreamRequest = {
    method: 'POST',
    target: '/',
    headers: [],
    host: upstream.host,
    body: Buffer.from('{}'),
    contentLength: null,
    holder: '',
    ...request,
  };
  const flight = dispatch(upstream, whole, {
    onResponse: (status, headers, statusText) => Object.assign(record, { status, headers, statusText }),
    onData: (chunk) => {
      record.body += chunk.toString('latin1');
      return true;
    },
    onEnd: (trailers) => end('end', null, trailers),
    onFailure: (failure) => end(failure.kind, failure, []),
  });
  return { flight, done };
}

export interface Proxy {
  readonly port: number;
  readonly results: ForwardResult[];
  /** Every connection ever accepted. */
  readonly sockets: readonly Socket[];
  /** Resolves with the result of the next exchange to settle. */
  next(): Promise<ForwardResult>;
}

/** A bare server that forwards everything, and answers what was not answered with the failure as text. */
export async function proxyTo(t: Test, upstream: Upstream, overrides: Partial<ForwardInput> = {}): Promise<Proxy> {
  const results: ForwardResult[] = [];
  const waiting: ((result: ForwardResult) => void)[] = [];
  const server = http.createServer((req, res) => {
    forward({
      upstream,
      req,
      res,
      maxBodyBytes: 1_048_576,
      onTooLarge: () => false,
      now: () => performance.now(),
      dispatch,
      send: null,
      request: requestFrom(req, upstream),
      onAnswered: () => undefined,
      answerHeaders: (rawHeaders) => clientHeaders({ rawHeaders, cors: null, added: [] }),
      onSettled: (result) => {
        if (!res.headersSent && result.kind !== 'client_gone')
          res.writeHead(502, { connection: 'close' }).end(result.kind === 'failed' ? result.failure.kind : result.kind);
        results.push(result);
        waiting.shift()?.(result);
      },
      ...overrides,
    });
  });
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const next = () => new Promise<ForwardResult>((resolve) => waiting.push(resolve));
  return { port: (server.address() as AddressInfo).port, results, sockets, next };
}

function requestFrom(req: IncomingMessage, upstream: Upstream): UpstreamRequest {
  const length = req.headers['content-length'];
  const headers = upstreamHeaders({
    rawHeaders: req.rawHeaders,
    connection: [],
    credentialFields: [],
    forwardedFor: '192.0.2.1',
    forwardedProto: 'http',
    forwardedHost: req.headers.host,
    requestId: 'r1',
    key: null,
    authorization: { kind: 'strip' },
    methodUnjudged: false,
    bodyChanged: false,
    bodyDecoded: false,
    eventRoute: null,
    contentType: null,
  });
  return {
    method: req.method ?? '',
    target: req.url ?? '',
    headers,
    host: upstream.host,
    body: length !== undefined || req.headers['transfer-encoding'] !== undefined ? req : null,
    contentLength: length === undefined ? null : Number(length),
    holder: '',
  };
}

/** A connection that keeps what it read. */
export class RawClient {
  readonly socket: Socket;
  text = '';
  error: NodeJS.ErrnoException | null = null;
  readonly closed: Promise<void>;

  constructor(t: Test, port: number, options: { readonly allowHalfOpen?: boolean } = {}) {
    this.socket = net.connect({ port, host: '127.0.0.1', ...options });
    this.socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
    });
    this.socket.on('error', (error) => {
      this.error = error;
    });
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
    t.teardown(() => this.socket.destroy());
  }

  write(bytes: string): void {
    this.socket.write(bytes, 'latin1');
  }

  /** Resolves once what was read contains `part`; rejects when the connection closes without it. */
  async until(part: string): Promise<string> {
    while (!this.text.includes(part)) {
      if (this.socket.closed) throw new Error(`closed after ${JSON.stringify(this.text.slice(0, 500))}`);
      await Promise.race([once(this.socket, 'data').catch(() => {}), this.closed]);
    }
    return this.text;
  }
}

/** Sends one request on a connection of its own and reads until the server closes it. */
export async function talkOnce(t: Test, port: number, bytes: string): Promise<RawClient> {
  const client = new RawClient(t, port);
  client.write(bytes);
  await client.closed;
  return client;
}
