/**
 * How the Redis client opens its connections. Names are looked up without the C library: a silent name server would hold its few
 * threads, which all of the process needs. Several addresses of a name share the time to connect. All else is as in ioredis.
 */
import net, { isIP, type LookupFunction } from 'node:net';
import tls from 'node:tls';
import { callbackify } from 'node:util';
import type { RedisOptions } from 'ioredis';
import { createLookup, type Lookup } from './lookup.ts';
import { redisLibrary } from './redis-library.ts';

type Connector = NonNullable<RedisOptions['Connector']>;
type DnsLookup = (hostname: string, callback: (error: NodeJS.ErrnoException | null, address: string) => void) => void;

export interface RedisConnectors {
  /** For one server, and for each node of a Cluster. */
  readonly server: Connector;
  readonly sentinel: Connector;
  /** For the seeds of a Cluster. */
  readonly dnsLookup: DnsLookup;
}

/** Makes the connectors of one Redis. `connectMs`: the time to connect that its client allows. */
export function redisConnectors(connectMs: number, lookup: Lookup = createLookup()): RedisConnectors {
  const server = serverConnector(forNet(lookup), connectMs);
  return {
    server,
    sentinel: sentinelConnector(server, lookup),
    dnsLookup: callbackify(async (hostname: string) => (await lookup(hostname))[0] ?? ''),
  };
}

/** In the form in which sockets ask for it. */
function forNet(lookup: Lookup): LookupFunction {
  const find = callbackify(lookup);
  return (hostname, { all }, callback) => {
    find(hostname, (error, found) => {
      if (error) return callback(error, '');
      const addresses = found.map((address) => ({ address, family: isIP(address) }));
      if (all === true) callback(null, addresses);
      else callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
    });
  };
}

function serverConnector(lookup: LookupFunction, connectMs: number): Connector {
  return class extends redisLibrary().AbstractConnector {
    readonly #options: RedisOptions;

    constructor(options: unknown) {
      super((options as RedisOptions).disconnectTimeout ?? 0);
      this.#options = options as RedisOptions;
    }

    override async connect(): Promise<net.Socket> {
      this.connecting = true;
      await new Promise((resolve) => process.nextTick(resolve));
      if (!this.connecting) throw new Error('Connection is closed.');
      const { host = '127.0.0.1', port = 6379, tls: secure } = this.#options;
      // Node gives each of several addresses a quarter of a second.
      const to = { host, port, lookup, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: connectMs / 2 };
      const stream = secure ? tls.connect({ ...to, ...secure }) : net.connect(to);
      stream.once('error', (error) => (this.firstError = error));
      this.stream = stream;
      return stream;
    }
  };
}

/** Methods that ioredis does not publish: how it asks a Sentinel, and what it makes of the answer. */
interface SentinelInternals {
  connectToSentinel: (endpoint: unknown, options?: RedisOptions) => unknown;
  resolve: (endpoint: unknown) => Promise<{ readonly host: string; readonly port: number } | null>;
}

function sentinelConnector(server: Connector, lookup: Lookup): Connector {
  return class extends redisLibrary().SentinelConnector {
    constructor(options: unknown) {
      super(options as RedisOptions);
      const internals = this as unknown as SentinelInternals;
      const { connectToSentinel, resolve } = internals;
      internals.connectToSentinel = (endpoint, more) =>
        connectToSentinel.call(this, endpoint, { ...more, Connector: server });
      internals.resolve = async (endpoint) => {
        const found = await resolve.call(this, endpoint);
        if (found === null || isIP(found.host) !== 0) return found;
        const [address = found.host] = await lookup(found.host);
        return { ...found, host: address, servername: found.host };
      };
    }
  };
}
