/**
 * The connections to one backend: how many, for how long, to which address and under which name.
 * All of it comes from the settings; nothing in a request can change where a connection goes or whom it trusts.
 */
import { createLookup, type Lookup } from '../lib/lookup.ts';
import { atTurnEnd } from '../lib/turn-end.ts';
import { type ConcurrencyLimit, createConcurrencyLimit } from './concurrency-limit.ts';
import { createConnector, type TlsSettings } from './connector.ts';
import { targetOf } from './target.ts';
import type { Connection, ConnectionSettings, ConnectionUser } from './wire/connection.ts';
import { createDeadlines } from './wire/deadlines.ts';
import { Http1Connection } from './wire/http1-connection.ts';
import type { WireRequest } from './wire/request.ts';

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

export interface Upstream {
  readonly origin: string;
  /** The Host value of the backend itself. */
  readonly host: string;
  readonly preserveHost: boolean;
  readonly idleTimeoutMs: number;
  readonly limit: ConcurrencyLimit;
  /** Sends a request on a connection of its own, which is to be given back when the exchange on it has ended. */
  send(request: WireRequest, user: ConnectionUser): void;
  /** Sends it on a connection that nothing was sent on before. */
  sendOnNew(request: WireRequest, user: ConnectionUser): void;
  /** The exchange on the connection has ended; its place goes to the next in line. One that is not fit is not used again. */
  giveBack(connection: Connection, holder: string, fit: boolean): void;
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

/** No connection is older, however busy, so that a backend that moves to another address is followed. */
const MAX_AGE_MS = 5 * 60_000;

/**
 * A used connection is written on at the end of the turn, which shows whether the backend had closed it when the turn began.
 * After a rest of so long the request is handed over at that end: then a whole turn lies between, and shows what the backend
 * has closed by now. Under load none rests so long, and nothing is put off.
 */
const LOOK_AFTER_MS = 100;

/** Makes the pool of one backend. Throws when `url` is none of the three, or a certificate or key cannot be used. */
export function createUpstream(settings: UpstreamSettings, world: Partial<UpstreamWorld> = {}): Upstream {
  const { lookup = createLookup(), maxAgeMs = MAX_AGE_MS, now = () => performance.now() } = world;
  const target = targetOf(settings.url);
  const own = target.origin;
  const limit = createConcurrencyLimit({
    limit: settings.maxConnections,
    perHolder: settings.maxConnectionsPerKey ?? Math.max(1, Math.floor(settings.maxConnections / 2)),
    waitingForEach: WAITING_PER_CONNECTION,
    maxWaitMs: milliseconds(settings.timeoutSeconds),
  });
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
      connection.rest(idleSince);
      if (closing || !connection.isFit(idleSince)) connection.close();
      else idle.push(connection);
      limit.leave(held[i] as string);
    }
  };
  const connections: ConnectionSettings = {
    connect: createConnector(
      { target, timeoutMs: milliseconds(settings.connectTimeoutSeconds), tls: settings.tls },
      lookup,
    ),
    deadlines: createDeadlines(now),
    now,
    headTimeoutMs: milliseconds(settings.timeoutSeconds),
    contentTimeoutMs: milliseconds(settings.idleTimeoutSeconds),
    keepAliveMs: milliseconds(settings.keepAliveSeconds),
    maxAgeMs,
    onGone(connection) {
      open.delete(connection);
      const at = idle.indexOf(connection);
      if (at !== -1) idle.splice(at, 1);
    },
  };
  /** The one used last: those that are not needed any more stay idle, and close. */
  const sendOnIdle = (request: WireRequest, user: ConnectionUser): boolean => {
    const time = now();
    let connection = idle.pop();
    while (connection !== undefined && !connection.isFit(time)) {
      connection.close();
      connection = idle.pop();
    }
    if (connection === undefined) return false;
    const used = connection;
    if (time - used.idleSince < LOOK_AFTER_MS) used.send(request, user);
    else setImmediate(() => (used.isGone ? sendOnNew(request, user) : used.send(request, user)));
    return true;
  };
  const sendOnNew = (request: WireRequest, user: ConnectionUser): void => {
    const connection = new Http1Connection(connections);
    open.add(connection);
    connection.send(request, user);
    if (destroyed) process.nextTick(() => connection.breakOff('the upstream is closed'));
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
    sendOnNew,
    giveBack(connection, holder, fit) {
      if (fit) {
        holders.push(holder);
        if (resting.push(connection) === 1) atTurnEnd(endRest);
        return;
      }
      connection.close();
      limit.leave(holder);
    },
    close: () =>
      new Promise((resolve) => {
        closing = true;
        limit.whenIdle(() => {
          for (const connection of open) connection.close();
          resolve();
        });
      }),
    destroy() {
      closing = true;
      destroyed = true;
      for (const connection of open) connection.breakOff('the upstream is closed');
    },
  };
}

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1_000);
}
