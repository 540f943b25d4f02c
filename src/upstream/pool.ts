/**
 * The connections to one backend: how many, for how long, to which address and under which name.
 * All of it comes from the settings; nothing in a request can change where a connection goes or whom it trusts.
 */
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import { type ConcurrencyLimit, createConcurrencyLimit } from './concurrency-limit.ts';
import { createConnection } from './connection.ts';

export interface UpstreamSettings {
  /** Scheme, host and port; no path. */
  readonly url: string;
  readonly connectTimeoutSeconds: number;
  /** Until the final response's headers; also the longest wait for a free connection. */
  readonly timeoutSeconds: number;
  /** Between two chunks of a body. */
  readonly idleTimeoutSeconds: number;
  readonly maxConnections: number;
  /** Of these, how many the requests of one key may have; null: half of them. */
  readonly maxConnectionsPerKey: number | null;
  readonly preserveHost: boolean;
  readonly tls: {
    /** PEM, read once, when the upstream is made. */
    readonly caFile: string | null;
    readonly insecureSkipVerify: boolean;
    /** Sent as SNI and expected in the certificate, in place of the host of `url`. */
    readonly serverName: string | null;
  };
}

/** A request as undici takes it. */
export interface WireRequest {
  readonly path: string;
  readonly method: string;
  readonly headers: string[];
  readonly body: Buffer | Readable | null;
  readonly servername: typeof FIXED_SERVER_NAME;
}

export interface Upstream {
  readonly origin: string;
  /** The Host value of the backend itself. */
  readonly host: string;
  readonly preserveHost: boolean;
  readonly idleTimeoutMs: number;
  readonly limit: ConcurrencyLimit;
  send(request: WireRequest, handler: Dispatcher.DispatchHandler): void;
  /**
   * Closes the connections once nothing is under way. Requests may still be sent, so that one that began before a
   * reload is not failed by it: they get connections that are closed in turn.
   */
  close(): Promise<void>;
  /** Breaks off everything, at once. */
  destroy(): void;
}

/** Requests that may wait for each connection before further ones are turned away as overloaded. */
const WAITING_PER_CONNECTION = 8;
const MAX_RESPONSE_HEADER_BYTES = 65_536;

/**
 * A request on a connection that the backend is just closing is lost, and a POST must not be sent again. So connections
 * idle for less time than the shortest usual limit of servers (Node, Apache, Uvicorn: 5 s), and for a second less than
 * a backend announces in `Keep-Alive: timeout=N`.
 */
const KEEP_ALIVE = { keepAliveTimeout: 4_000, keepAliveMaxTimeout: 60_000, keepAliveTimeoutThreshold: 1_000 } as const;

/**
 * undici derives the TLS server name from the Host header, which with `preserveHost` is the client's, unless a request
 * names one. The name given here only turns that off: the connector sets its own.
 */
export const FIXED_SERVER_NAME = 'upstream';

/** Makes the pool of one backend. Throws when `url` is not an http(s) origin or `caFile` cannot be read. */
export function createUpstream(settings: UpstreamSettings): Upstream {
  const url = originOf(settings.url);
  const connect = connectorOf(settings);
  const limit = createConcurrencyLimit({
    limit: settings.maxConnections,
    perHolder: settings.maxConnectionsPerKey ?? Math.max(1, Math.floor(settings.maxConnections / 2)),
    waitingForEach: WAITING_PER_CONNECTION,
    maxWaitMs: milliseconds(settings.timeoutSeconds),
  });
  const options: Pool.Options = {
    connections: settings.maxConnections,
    pipelining: 1,
    allowH2: false,
    headersTimeout: milliseconds(settings.timeoutSeconds),
    bodyTimeout: milliseconds(settings.idleTimeoutSeconds),
    maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
    strictContentLength: true,
    ...KEEP_ALIVE,
    factory: (origin, clientOptions) => createConnection(origin, clientOptions, connect),
  };
  let pool: Pool | null = null;
  let closing = false;

  const closeWhenIdle = (): Promise<void> =>
    new Promise((resolve) => {
      limit.whenIdle(() => {
        const idle = pool;
        pool = null;
        if (idle === null) resolve();
        else void idle.close().then(resolve, resolve);
      });
    });

  return {
    origin: url.origin,
    host: url.host,
    preserveHost: settings.preserveHost,
    idleTimeoutMs: milliseconds(settings.idleTimeoutSeconds),
    limit,
    send(request, handler) {
      if (pool === null) {
        pool = new Pool(url.origin, options);
        if (closing) void closeWhenIdle();
      }
      pool.dispatch(request, handler);
    },
    close() {
      closing = true;
      return closeWhenIdle();
    },
    destroy() {
      closing = true;
      void pool?.destroy();
    },
  };
}

function originOf(text: string): URL {
  const url = new URL(text);
  const isOrigin = (url.protocol === 'http:' || url.protocol === 'https:') && url.pathname === '/' && url.search === '';
  if (!isOrigin || url.username !== '' || url.password !== '' || url.hash !== '')
    throw new TypeError('An upstream is http:// or https://, a host and a port, and nothing else.');
  return url;
}

function connectorOf(settings: UpstreamSettings): buildConnector.connector {
  const { caFile, insecureSkipVerify, serverName } = settings.tls;
  const connect = buildConnector({
    allowH2: false,
    timeout: milliseconds(settings.connectTimeoutSeconds),
    rejectUnauthorized: !insecureSkipVerify,
    ...(caFile === null ? {} : { ca: readFileSync(caFile) }),
  });
  return (target, callback) => {
    // An empty name lets the connector take the host of the address, and no name at all for a numeric one (RFC 6066 3).
    connect({ ...target, servername: serverName ?? '' }, callback);
  };
}

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1_000);
}
