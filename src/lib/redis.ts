/**
 * A connection to Redis: one server, behind Sentinel, or a Cluster; plain or TLS. A connection reconnects by
 * itself for as long as it is open, never queues a command while it is down, and takes a server that stopped answering for
 * lost. It never sends a command twice by itself, and errors never hold a password.
 */
import { createHash } from 'node:crypto';
import { inTime } from './circuit-breaker.ts';
import { CONNECT_MS, makeClient, makeSubscriber, seedsOf } from './redis-client.ts';
import {
  type ClientOptions,
  clusterNodeOptions,
  errorText,
  type RedisSettings,
  serverOptions,
} from './redis-settings.ts';
import { redisConnectors } from './redis-connector.ts';
import { redisLibrary } from './redis-library.ts';
import { backoffMs, HEARTBEAT_MS, openSubscription, type SubscriptionEvents } from './redis-subscription.ts';

export type { RedisSettings } from './redis-settings.ts';

export type RedisArgument = string | number | Buffer;
export type RedisCommand = readonly [name: string, ...args: RedisArgument[]];

/** A command that was not carried out. `code` is the first word of the server's answer (`READONLY`, `LOADING`, ...), or ''. */
export class RedisFailure extends Error {
  override readonly name = 'RedisFailure';
  readonly code: string;
  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

export interface RedisEvents {
  /** The server answers; also after each reconnection. */
  readonly onReady?: () => void;
  /** The connection broke or could not be made; `why` is fit for logs. Repeats with each failed attempt. */
  readonly onLost?: (why: string) => void;
}

export interface RedisScript {
  (keys: readonly string[], args: readonly RedisArgument[]): Promise<unknown>;
}

export interface RedisConnection {
  /** Whether the connection is there, so that a command can be sent. */
  readonly ready: boolean;
  /** Sends one command. @throws RedisFailure */
  call(command: string, ...args: RedisArgument[]): Promise<unknown>;
  /** As `call`, with bulk strings as Buffers. @throws RedisFailure */
  callBuffer(command: string, ...args: RedisArgument[]): Promise<unknown>;
  /** Sends commands as one MULTI; their answers in order. @throws RedisFailure for the first that failed */
  transaction(commands: readonly RedisCommand[]): Promise<unknown[]>;
  /** An atomic Lua script, sent by its hash and loaded when the server does not have it. */
  script(lua: string): RedisScript;
  /** Listens on a connection of its own; in a Cluster on any node, all of which carry every channel. */
  subscribe(channel: string, events: SubscriptionEvents): { close(): void };
  close(): void;
}

export interface ConnectionOptions extends RedisEvents {
  /** How long a command may take before it counts as failed; default 4 s. */
  readonly timeoutMs?: number;
  /** How the connection is called in `CLIENT LIST`. */
  readonly name: string;
  /** Whether a read-only answer means that this server was demoted: it is then left and looked for again. */
  readonly writes?: boolean;
}

const CLOSED = 'connection closed';

/** The library's words for a command that it did not send, or whose connection broke. Why there is none says more. */
const NOT_SENT = /^(?:Stream isn't writeable|Connection is closed|Reached the max retries)/;

/** In a Cluster a command may be sent on from node to node, each silent; this bounds all of it. */
const COMMAND_MS = 4000;

/** Opens a connection; it is being made when this returns. @throws Error for a malformed URL or an unreadable CA file */
export function connectRedis(settings: RedisSettings, options: ConnectionOptions): RedisConnection {
  const { timeoutMs = COMMAND_MS } = options;
  const describe = errorText(settings);
  const failure = (error: unknown): RedisFailure => {
    const cause = describe(causeOf(error));
    const message = NOT_SENT.test(cause) ? lastError : cause;
    return new RedisFailure(message, /^[A-Z]{2,}(?= )/.exec(message)?.[0] ?? '');
  };
  // Read once: a CA file that is gone when a connection has to be made anew would end the process.
  const connectors = redisConnectors(CONNECT_MS);
  const ends: ClientOptions = {
    ...(settings.cluster ? clusterNodeOptions(settings, seedsOf(settings)) : serverOptions(settings)),
    Connector: settings.sentinel ? connectors.sentinel : connectors.server,
  };
  const client = makeClient({ settings, ends, connectors, options });
  const subscriptions = new Set<{ close(): void }>();
  let lastError = CLOSED;
  client.on('error', (error: unknown) => {
    lastError = describe(error);
    // Sentinels that cannot be reached break no connection: there is none yet.
    if (client.status === 'connecting') options.onLost?.(lastError);
  });
  client.on('node error', (error: unknown) => (lastError = describe(error)));
  client.on('ready', () => {
    lastError = CLOSED;
    options.onReady?.();
  });
  client.on('close', () => options.onLost?.(lastError));
  let reopening: NodeJS.Timeout | undefined;
  // ioredis gives up for good when Sentinel tells of a failover while it is connecting.
  client.on('end', () => {
    options.onLost?.(lastError);
    reopening = setTimeout(() => client.connect().catch(() => undefined), backoffMs(1));
  });
  const heartbeat = setInterval(() => {
    if (client instanceof redisLibrary().Redis && client.status === 'ready') client.ping().catch(() => undefined);
  }, HEARTBEAT_MS).unref();

  const call = async (command: string, ...args: RedisArgument[]): Promise<unknown> => {
    try {
      return await inTime(client.call(command, args), timeoutMs);
    } catch (error) {
      throw failure(error);
    }
  };
  return {
    get ready() {
      return client.status === 'ready';
    },
    call,
    async callBuffer(command, ...args) {
      try {
        return await inTime(client.callBuffer(command, args), timeoutMs);
      } catch (error) {
        throw failure(error);
      }
    },
    async transaction(commands) {
      try {
        const sent = client.multi(commands.map(([name, ...args]) => [name, ...args])).exec();
        const results = await inTime(sent, timeoutMs);
        if (results === null) throw new Error('the transaction was given up');
        return results.map(([error, result]) => {
          if (error) throw error;
          return result;
        });
      } catch (error) {
        throw failure(error);
      }
    },
    script: (lua) => scriptOn(call, lua),
    subscribe(channel, events) {
      const subscription = openSubscription({
        makeClient: () => makeSubscriber(settings, ends, options.name, client),
        channel,
        events,
        describe,
      });
      subscriptions.add(subscription);
      return subscription;
    },
    close() {
      clearInterval(heartbeat);
      for (const subscription of subscriptions) subscription.close();
      clearTimeout(reopening);
      client.removeAllListeners('close').removeAllListeners('end');
      client.disconnect();
    },
  };
}

/** Why a transaction was not carried out (`EXECABORT`): the first of its commands that was refused. */
function causeOf(error: unknown): unknown {
  if (typeof error !== 'object' || error === null || !('previousErrors' in error)) return error;
  const [first] = error.previousErrors as readonly unknown[];
  return first ?? error;
}

function scriptOn(call: RedisConnection['call'], lua: string): RedisScript {
  const sha = createHash('sha1').update(lua).digest('hex');
  return async (keys, args) => {
    try {
      return await call('evalsha', sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof RedisFailure) || error.code !== 'NOSCRIPT') throw error;
      return call('eval', lua, keys.length, ...keys, ...args);
    }
  };
}
