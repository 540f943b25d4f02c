/**
 * The connections to one backend: how many, for how long, to which address and under which name.
 * All of it comes from the settings; nothing in a request can change where a connection goes or whom it trusts.
 */
import type { Readable } from 'node:stream';
import type { Client } from 'undici';
import { createLookup, type Lookup } from '../lib/lookup.ts';
import { atTurnEnd } from '../lib/turn-end.ts';
import { type ConcurrencyLimit, createConcurrencyLimit } from './concurrency-limit.ts';
import { type Connection, type ConnectionUser, openConnection } from './connection.ts';
import { createConnector, withoutFinalDot } from './connector.ts';

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
  /** Sends a request on a connection of its own, which is to be given back when the exchange on it has ended. */
  send(request: WireRequest, user: ConnectionUser): void;
  /** The exchange on the connection has ended; its place goes to the next in line. After a failure it is not used again. */
  giveBack(connection: Connection, holder: string, failed: boolean): void;
  /**
   * Closes the connections once nothing is under way. Requests may still be sent, so that one that began before a
   * reload is not failed by it: they get connections that are closed in turn.
   */
  close(): Promise<void>;
  /** Breaks off everything, at once. */
  destroy(): void;
}

/** What is handed in from outside. */
export interface UpstreamWorld {
  /** Of this backend alone: a name server that hangs for one holds up no other. */
  readonly lookup: Lookup;
  readonly maxAgeMs: number;
}

/** Requests that may wait for each connection before further ones are turned away as overloaded. */
const WAITING_PER_CONNECTION = 8;
const MAX_RESPONSE_HEADER_BYTES = 65_536;

/** undici's clock for both moves on twice a second, and would be early by up to a tick: 1.4 s would be 1.1 s. */
const TICK_MS = 499;

/** No connection is older, however busy, so that a backend that moves to another address is followed. */
const MAX_AGE_MS = 5 * 60_000;

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
export function createUpstream(settings: UpstreamSettings, world: Partial<UpstreamWorld> = {}): Upstream {
  const { lookup = createLookup(), maxAgeMs = MAX_AGE_MS } = world;
  const url = originOf(settings.url);
  const timeoutMs = milliseconds(settings.connectTimeoutSeconds);
  const connect = createConnector({ url, timeoutMs, tls: settings.tls }, lookup);
  const limit = createConcurrencyLimit({
    limit: settings.maxConnections,
    perHolder: settings.maxConnectionsPerKey ?? Math.max(1, Math.floor(settings.maxConnections / 2)),
    waitingForEach: WAITING_PER_CONNECTION,
    maxWaitMs: milliseconds(settings.timeoutSeconds),
  });
  const own = new URL(url.origin);
  own.hostname = withoutFinalDot(url.hostname);
  const options: Client.Options = {
    pipelining: 1,
    allowH2: false,
    headersTimeout: milliseconds(settings.timeoutSeconds) + TICK_MS,
    bodyTimeout: milliseconds(settings.idleTimeoutSeconds) + TICK_MS,
    maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
    strictContentLength: true,
    ...KEEP_ALIVE,
  };
  const open = new Set<Connection>();
  const idle: Connection[] = [];
  let resting: Connection[] = [];
  let holders: string[] = [];
  let closing = false;
  let destroyed = false;

  /**
   * A backend may close a connection right after an answer that promised to keep it. One turn of the event loop shows that,
   * before the next request is lost to it.
   */
  const endRest = (): void => {
    const rested = resting;
    const held = holders;
    resting = [];
    holders = [];
    for (let i = 0; i < rested.length; i += 1) {
      const connection = rested[i] as Connection;
      if (closing || connection.retired) dismiss(connection);
      else idle.push(connection);
      limit.leave(held[i] as string);
    }
  };
  const dismiss = (connection: Connection): void => {
    open.delete(connection);
    void connection.close();
  };
  const dismissIdle = (connection: Connection): void => {
    const at = idle.indexOf(connection);
    if (at === -1) return;
    idle.splice(at, 1);
    dismiss(connection);
  };
  const openAnother = (): Connection => {
    const connection = openConnection({ origin: own, options, connect, maxAgeMs, onRetired: dismissIdle });
    open.add(connection);
    return connection;
  };

  return {
    origin: own.origin,
    host: own.host,
    preserveHost: settings.preserveHost,
    idleTimeoutMs: milliseconds(settings.idleTimeoutSeconds),
    limit,
    send(request, user) {
      // The one used last: those that are not needed any more stay idle, and close.
      const connection = idle.pop() ?? openAnother();
      if (destroyed) connection.destroy();
      connection.send(request, user);
    },
    giveBack(connection, holder, failed) {
      if (!failed && !connection.isSending) {
        holders.push(holder);
        if (resting.push(connection) === 1) atTurnEnd(endRest);
        return;
      }
      dismiss(connection);
      limit.leave(holder);
    },
    close: () =>
      new Promise((resolve) => {
        closing = true;
        limit.whenIdle(() => {
          const closed = [...open].map((connection) => connection.close());
          open.clear();
          idle.length = 0;
          void Promise.all(closed).then(() => resolve());
        });
      }),
    destroy() {
      closing = true;
      destroyed = true;
      for (const connection of open) connection.destroy();
      open.clear();
      idle.length = 0;
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

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1_000);
}
