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
import { createConnector, type TlsSettings } from './connector.ts';
import { targetOf } from './target.ts';

export interface UpstreamSettings {
  /** `http://` or `https://` with a host and a port, or `unix:` with a path. */
  readonly url: string;
  readonly connectTimeoutSeconds: number;
  /** Until the final response's headers; also the longest wait for a free connection. */
  readonly timeoutSeconds: number;
  /** Between two chunks of a body. */
  readonly idleTimeoutSeconds: number;
  readonly maxConnections: number;
  /** Of these, how many the requests of one key may have; null: half of them. */
  readonly maxConnectionsPerKey: number | null;
  /** How long an idle connection may be used again; 0: not at all. */
  readonly keepAliveSeconds: number;
  readonly preserveHost: boolean;
  readonly tls: TlsSettings;
}

/** A request as undici takes it. */
export interface WireRequest {
  readonly path: string;
  readonly method: string;
  readonly headers: string[];
  readonly body: Buffer | Readable | null;
  readonly servername: typeof FIXED_SERVER_NAME;
  /** Whether it says `Connection: close`. */
  readonly reset: boolean;
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
  /** Sends a request of which nothing was sent on the connection that it had, which is left; on a new one. */
  sendAgain(unsent: Connection, request: WireRequest, user: ConnectionUser): void;
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
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** Requests that may wait for each connection before further ones are turned away as overloaded. */
const WAITING_PER_CONNECTION = 8;
const MAX_RESPONSE_HEADER_BYTES = 65_536;

/** undici's clock for both moves on twice a second, and would be early by up to a tick: 1.4 s would be 1.1 s. */
const TICK_MS = 499;

/** No connection is older, however busy, so that a backend that moves to another address is followed. */
const MAX_AGE_MS = 5 * 60_000;

/**
 * undici writes on a used connection at the end of the turn, which shows whether the backend had closed it when the turn began.
 * After a rest of so long the request is handed over at that end: then a whole turn lies between, and shows what the backend
 * has closed by now. Under load none rests so long, and nothing is put off.
 */
const LOOK_AFTER_MS = 100;

/**
 * undici derives the TLS server name from the Host header, which with `preserveHost` is the client's, unless a request
 * names one. The name given here only turns that off: the connector sets its own.
 */
export const FIXED_SERVER_NAME = 'upstream';

/** Makes the pool of one backend. Throws when `url` is none of the three, or a certificate or key cannot be used. */
export function createUpstream(settings: UpstreamSettings, world: Partial<UpstreamWorld> = {}): Upstream {
  const { lookup = createLookup(), maxAgeMs = MAX_AGE_MS, now = () => performance.now() } = world;
  const target = targetOf(settings.url);
  const own = target.origin;
  const timeoutMs = milliseconds(settings.connectTimeoutSeconds);
  const keepAliveMs = milliseconds(settings.keepAliveSeconds);
  const connect = createConnector({ target, timeoutMs, tls: settings.tls }, lookup);
  const limit = createConcurrencyLimit({
    limit: settings.maxConnections,
    perHolder: settings.maxConnectionsPerKey ?? Math.max(1, Math.floor(settings.maxConnections / 2)),
    waitingForEach: WAITING_PER_CONNECTION,
    maxWaitMs: milliseconds(settings.timeoutSeconds),
  });
  const options: Client.Options = {
    pipelining: 1,
    allowH2: false,
    headersTimeout: milliseconds(settings.timeoutSeconds) + TICK_MS,
    bodyTimeout: milliseconds(settings.idleTimeoutSeconds) + TICK_MS,
    maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
    strictContentLength: true,
    // It takes no 0.
    keepAliveTimeout: Math.max(1, keepAliveMs),
    // The backend may ask for less in `Keep-Alive: timeout=N`: then it is a second less than that, for the way.
    keepAliveMaxTimeout: Math.max(1, keepAliveMs),
    keepAliveTimeoutThreshold: 1_000,
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
    const idleSince = now();
    resting = [];
    holders = [];
    for (let i = 0; i < rested.length; i += 1) {
      const connection = rested[i] as Connection;
      if (closing || connection.retired || keepAliveMs === 0) dismiss(connection);
      else {
        connection.idleSince = idleSince;
        idle.push(connection);
      }
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
  /** The one used last: those that are not needed any more stay idle, and close. If that rested too long, all did. */
  const sendOnIdle = (request: WireRequest, user: ConnectionUser): boolean => {
    const rested = now() - (idle.at(-1)?.idleSince ?? 0);
    if (rested > keepAliveMs) for (const connection of idle.splice(0)) dismiss(connection);
    const connection = idle.pop();
    if (connection === undefined) return false;
    if (rested < LOOK_AFTER_MS) connection.send(request, user);
    else setImmediate(() => connection.send(request, user));
    return true;
  };
  const sendOnNew = (request: WireRequest, user: ConnectionUser): void => {
    const connection = openAnother();
    if (destroyed) connection.destroy();
    connection.send(request, user);
  };

  return {
    origin: own.origin,
    host: own.host,
    preserveHost: settings.preserveHost,
    idleTimeoutMs: milliseconds(settings.idleTimeoutSeconds),
    limit,
    send(request, user) {
      if (!sendOnIdle(request, user)) sendOnNew(request, user);
    },
    sendAgain(unsent, request, user) {
      dismiss(unsent);
      sendOnNew(request, user);
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

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1_000);
}
